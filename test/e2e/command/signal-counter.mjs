// Prints each signal that it gets, and ends at SIGTERM with the number of those.
let count = 0;
for (const name of ["SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGTERM"]) {
  process.on(name, () => {
    count += 1;
    console.log(`${name} ${count}`);
    if (name === "SIGTERM") process.exit(count);
  });
}
setInterval(() => {}, 1_000_000);
console.log("ready");
