import { Agent, createServer, request } from "node:http";
import { pipeline } from "node:stream";

// A proxy of Node's own parts that reads nothing: plain.js PORT UPSTREAM_PORT.

const [port, upstream] = process.argv.slice(2).map(Number);
const agent = new Agent({ keepAlive: true });

const server = createServer((incoming, outgoing) => {
  const { method, url: path, headers } = incoming;
  const sending = request({ host: "127.0.0.1", port: upstream, agent, method, path, headers });
  outgoing.once("close", () => sending.destroy());
  sending.on("error", () => outgoing.destroy());
  sending.on("response", (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    pipeline(answer, outgoing, () => {});
  });
  pipeline(incoming, sending, () => {});
});
// The client keeps its connections for longer than Node's 5 s.
server.keepAliveTimeout = 0;
server.listen(port, "127.0.0.1");
