import { createServer } from "node:http";
import { createInterface } from "node:readline";

// A server that shows what Ollama, llama.cpp, a gateway or LMServ show: `look-alike.mjs KIND PORT [MORE MODELS]`; a line
// on its input is a model that is pulled, or "restart": it closes, and listens again at once.
const [kind, port, more = "0"] = process.argv.slice(2);
const models = ["first", ...Array.from({ length: Number(more) }, (_, n) => `vendor/model-${n}`)];

const shows = {
  ollama: {
    "/": () => "Ollama is running",
    "/api/version": () => ({ version: "0.6.2" }),
    "/api/tags": () => ({ models: models.map((name) => ({ name })) }),
    "/api/ps": () => ({ models: [] }),
    "/v1/models": () => list("library"),
  },
  "llama.cpp": {
    "/health": () => ({ status: "ok" }),
    "/props": () => ({ total_slots: 1, build_info: "b4000" }),
    "/v1/models": () => list("llamacpp"),
  },
  gateway: {
    "/": () => "Ollama is running",
    "/.well-known/lmserv.json": () => ({ schemaVersion: 1, role: "gateway", servers: [] }),
    "/v1/models": () => list("library"),
  },
  lmserv: { "/": () => '"LMServ is running"' },
};

function list(owner) {
  return { object: "list", data: models.map((id) => ({ id, object: "model", owned_by: owner })) };
}

const server = createServer((request, response) => {
  const shown = shows[kind][request.url]?.();
  if (kind === "llama.cpp") response.setHeader("server", "llama.cpp");
  if (shown === undefined) return response.writeHead(404).end();
  if (typeof shown === "string") return response.end(shown);
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(shown));
}).listen(Number(port), () => console.log("listening"));

createInterface({ input: process.stdin }).on("line", (line) => {
  if (line !== "restart") return models.push(line);
  server.close(() => server.listen(Number(port), () => console.log("restarted")));
  server.closeAllConnections();
});
