import type { HostProcess } from "../src/host-process.ts";
import type { Host } from "../src/lan.ts";

/** Prints the datagrams to 224.0.0.251:5353 and sends there what it reads. */
const program = `
const address = process.argv[1];
const socket = require("node:dgram").createSocket({ type: "udp4", reuseAddr: true });
socket.on("message", (message, from) => console.log(from.address + " says " + message));
socket.bind(5353, () => {
  socket.addMembership("224.0.0.251", address);
  socket.setMulticastInterface(address);
  console.log("listening");
});
process.stdin.on("data", (text) => socket.send(text, 5353, "224.0.0.251"));
`;

/** Multicast listener of a host, without any code of the product or of the packet scripts. */
export async function listen(host: Host): Promise<HostProcess> {
  const listener = await host.spawn([process.execPath, "-e", program, host.address], { cwd: "/" });
  await listener.line((line) => line === "listening");
  return listener;
}
