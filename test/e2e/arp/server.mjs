import { createServer } from "node:http";
import { createServer as createTcpServer } from "node:net";

// Stands on a port for one of the sorts of program that a host of a LAN may run: server.mjs SORT PORT

const [sort, port] = process.argv.slice(2);

/** @type {Record<string, Record<string, unknown>>} */
const sites = {
  lmserv: {
    "/": "LMLauncher gateway is running.",
    "/health": { status: "ok", default_model: "llama-3.3-70b", routes: ["/chat"] },
    "/v1/models": { object: "list", data: [{ id: "llama-3.3-70b", object: "model" }] },
  },
  ollama: {
    "/": "Ollama is running",
    "/api/version": { version: "0.12.6" },
    "/api/tags": { models: [{ name: "qwen3:32b", model: "qwen3:32b" }] },
    "/v1/models": { object: "list", data: [{ id: "qwen3:32b", object: "model", owned_by: "library" }] },
  },
  document: {
    "/.well-known/lmserv.json": {
      schemaVersion: 1,
      servers: [
        {
          id: "box-with-document",
          info: "gpu-box-03",
          server: "vllm",
          models: ["mistral-small"],
          path: "/v1/chat/completions",
          port: 8000,
        },
      ],
    },
  },
  web: { "/": "<!doctype html><title>A printer</title>" },
};

function listen(server) {
  server.listen(Number(port), "::", () => console.log("listening"));
}

/** Duration of an answer in ms. */
const delayMs = sort === "slow" ? 600 : 0;
sites.slow = sites.ollama;

if (sort === "mute") {
  listen(createTcpServer(() => {}));
} else if (sort === "endless") {
  // A header that never ends, from every connection.
  listen(
    createTcpServer((socket) => {
      socket.on("error", () => {});
      socket.write("HTTP/1.1 200 OK\r\n");
      const more = () => {
        while (!socket.destroyed && socket.write(`X-Padding: ${"x".repeat(4_000)}\r\n`));
      };
      socket.on("drain", more);
      more();
    }),
  );
} else if (sort === "flood") {
  // A body that never ends.
  listen(
    createServer((_, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      const more = () => {
        while (!response.destroyed && response.write(`{"data":[${"[".repeat(60_000)}`));
      };
      response.on("drain", more);
      more();
    }),
  );
} else {
  const site = sites[sort];
  listen(
    createServer(async ({ url }, response) => {
      if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
      const found = site[url];
      if (found === undefined) response.writeHead(404, { "content-type": "text/plain" }).end("not found");
      else if (typeof found === "string")
        response.writeHead(200, { "content-type": "text/plain" }).end(found);
      else response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(found));
    }),
  );
}
