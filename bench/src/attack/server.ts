import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:http";

/*
 * Machine that serves a document of its LLM servers, and announces nothing: server.js ADDRESS GREETED PORTS
 * INFO SERVERS. It listens on each of the comma-separated ports, and each has a document of so many servers
 * of its own. GREETED gets a datagram a second, and thereby has ADDRESS as a neighbor. Prints "listening"
 * after the first.
 */

const [address = "", greeted = "", ports = "", info = "", servers = ""] = process.argv.slice(2);
const discardPort = 9;
/** Ports of servers that are listed and not asked. */
const firstListed = 20_000;

for (const [index, port] of ports.split(",").entries()) {
  const first = firstListed + index * Number(servers);
  const listed = Array.from({ length: Number(servers) }, (_, offset) => ({
    info,
    ...(servers !== "1" && { port: first + offset }),
  }));
  const document = JSON.stringify({ schemaVersion: 1, servers: listed });
  const site = createServer(({ url }, response) => {
    const isDocument = url === "/.well-known/lmserv.json";
    response.writeHead(isDocument ? 200 : 404, { "content-type": "application/json" });
    response.end(isDocument ? document : "{}");
  });
  await once(site.listen(Number(port), address), "listening");
}
const socket = createSocket("udp4");
await once(socket.bind({ address, port: 0 }), "listening");
const greet = (): void => socket.send("", discardPort, greeted);
setInterval(greet, 1_000);
greet();
console.log("listening");
