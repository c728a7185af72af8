import { createServer, type IncomingMessage } from "node:http";
import { createInterface } from "node:readline";

// A server that shows what Ollama shows, on every port of its arguments.

const ports = process.argv.slice(2).map(Number);
const models = ["first"];
/** Requests of other hosts. */
let requests = 0;

const pages: Readonly<Record<string, () => unknown>> = {
  "/api/version": () => ({ version: "0.6.2" }),
  "/api/tags": () => ({ models: models.map((name) => ({ name, size: 2_019_393_189 })) }),
  "/api/ps": () => ({ models: [] }),
  "/v1/models": () => ({
    object: "list",
    data: models.map((id) => ({ id, object: "model", owned_by: "library" })),
  }),
};

function page({ url = "" }: IncomingMessage): string | null {
  if (url === "/") return "Ollama is running";
  const show = pages[url];
  return show ? JSON.stringify(show()) : null;
}

for (const port of ports) {
  const server = createServer((request, response) => {
    const { remoteAddress, localAddress } = request.socket;
    if (remoteAddress !== localAddress) requests += 1;
    const text = page(request);
    response.setHeader("content-type", text?.startsWith("{") ? "application/json" : "text/plain");
    response.statusCode = text === null ? 404 : 200;
    response.end(text ?? "404 page not found");
  });
  server.listen(port, () => process.stdout.write(`listening ${port}\n`));
}

createInterface({ input: process.stdin }).on("line", (line) => {
  const [word, model] = line.split(" ");
  if (word === "pull" && model !== undefined) models.push(model);
  if (word === "count") process.stdout.write(`requests ${requests}\n`);
});
