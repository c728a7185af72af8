import { createServer } from "node:http";
import { createInterface } from "node:readline";

// A server that shows what Ollama, llama.cpp, vLLM, a gateway or LMServ show: `look-alike.mjs KIND PORT [MORE MODELS]`. A
// line on its input is a model that is pulled, or one of `orders`, which it repeats on its output when it is carried out.
const [kind, port, more = "0"] = process.argv.slice(2);
const models = ["first", ...Array.from({ length: Number(more) }, (_, n) => `vendor/model-${n}`)];

let isLoading = false;
let areSlotsFull = false;

const llamaCpp = {
  "/health": () => ({ status: "ok" }),
  "/props": () => ({ total_slots: 1, build_info: "b4000" }),
  "/slots": () => [{ id: 0, is_processing: areSlotsFull }],
  "/v1/models": () => list("llamacpp"),
};
/** With --api-key and without --slots. */
const guarded = {
  "/health": llamaCpp["/health"],
  "/v1/models": llamaCpp["/v1/models"],
  "/slots": () => refusal(501, "This server does not support slots endpoint."),
};

const shows = {
  ollama: {
    "/": () => "Ollama is running",
    "/api/version": () => ({ version: "0.6.2" }),
    "/api/tags": () => ({ models: models.map((name) => ({ name })) }),
    "/api/ps": () => ({ models: [] }),
    "/v1/models": () => list("library"),
  },
  "llama.cpp": llamaCpp,
  "llama.cpp with a key": guarded,
  "vllm with a key": {
    "/v1/models": () => new Refusal(401, { error: "Unauthorized" }),
    "/version": () => ({ version: "0.11.0" }),
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

/** Body of an error, with its status. */
class Refusal {
  constructor(status, body) {
    this.status = status;
    this.body = body;
  }
}

function refusal(code, message) {
  return new Refusal(code, { error: { code, message, type: "error" } });
}

function answer(url) {
  if (isLoading) return refusal(503, "Loading model");
  const shown = shows[kind][url]?.();
  return shown === undefined && kind === "llama.cpp with a key" ? refusal(401, "Invalid API Key") : shown;
}

const server = createServer((request, response) => {
  const shown = answer(request.url);
  if (kind.startsWith("llama.cpp")) response.setHeader("server", "llama.cpp");
  if (shown === undefined) return response.writeHead(404).end();
  if (typeof shown === "string") return response.end(shown);
  const { status, body } = shown instanceof Refusal ? shown : { status: 200, body: shown };
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}).listen(Number(port), () => console.log("listening"));

const orders = {
  /** Closes, and listens again at once. */
  restart: () => {
    server.close(() => server.listen(Number(port), () => console.log("restarted")));
    server.closeAllConnections();
  },
  load: () => {
    isLoading = true;
  },
  loaded: () => {
    isLoading = false;
  },
  fill: () => {
    areSlotsFull = true;
  },
  free: () => {
    areSlotsFull = false;
  },
};

createInterface({ input: process.stdin }).on("line", (line) => {
  if (!Object.hasOwn(orders, line)) return models.push(line);
  orders[line]();
  console.log(line);
});
