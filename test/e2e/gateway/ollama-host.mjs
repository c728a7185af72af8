import { createServer } from "node:http";

// A server as Ollama is one, with one model, on loopback alone unless told otherwise; says, one JSON document a line, what is asked of it by other methods than GET.

const [model = "llama3", address = "127.0.0.1"] = process.argv.slice(2);
const answers = {
  "GET /": "Ollama is running",
  "GET /api/version": { version: "0.12.3" },
  "GET /api/tags": { models: [{ name: model, size: 1, digest: "d" }] },
  "GET /api/ps": { models: [] },
  "GET /v1/models": { object: "list", data: [{ id: model, object: "model", owned_by: "library" }] },
};

const server = createServer(async (request, response) => {
  const { method, url, headers } = request;
  const known = answers[`${method} ${url}`];
  await request.toArray();
  if (method !== "GET")
    console.log(JSON.stringify({ method, url, host: headers.host, hop: headers["x-lmserv-hop"] }));
  const message = { role: "assistant", content: "hello from loopback" };
  const body = known ?? { model, message, done: true };
  if (typeof body === "string") return response.end(body);
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
});
server.listen(11_434, address, () => console.log("listening"));
