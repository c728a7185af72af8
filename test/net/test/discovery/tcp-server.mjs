import { createServer } from "node:net";

createServer((socket) => socket.destroy()).listen(Number(process.argv[2]), () => console.log("listening"));
