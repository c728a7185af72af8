import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { createDiscovery } from "../../../packages/discovery-core/dist/bundle.js";
import { mdns } from "../../../packages/discovery-mdns/dist/bundle.js";

// A server of OpenAI's API that announces itself, answers as it is told on its input (a line: `answer`, `wait`, `stream`,
// `die`, a status, or `mute`, with which it answers nothing at all), and says, one JSON document a line, what is asked of it
// and who leaves.

const [info, port, certificate] = process.argv.slice(2);
const say = (event) => console.log(JSON.stringify(event));
const send = (response, status, value) =>
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
const word = (text) => `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: text } }] })}\n\n`;
const waiting = new Set();
let mode = "answer";

function begin(response) {
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.write(word(`${info} `));
}

function end(response) {
  response.end(`${word("done")}data: [DONE]\n\n`);
}

const reactions = {
  answer: (response) => {
    begin(response);
    end(response);
  },
  wait: (response) => waiting.add(response),
  mute: (response) => waiting.add(response),
  stream: (response) => {
    begin(response);
    waiting.add(response);
  },
  die: (response) => {
    begin(response);
    response.socket.end();
  },
};

async function serve(request, response) {
  if (request.method !== "POST") {
    if (mode === "mute") return;
    if (request.url === "/v1/models") {
      return send(response, 200, {
        object: "list",
        data: [{ id: "llama3", object: "model", owned_by: "vllm" }],
      });
    }
    return send(response, request.url === "/version" ? 200 : 404, { version: "0.11.0" });
  }
  await request.toArray();
  say({ event: "asked" });
  response.once("close", () => {
    waiting.delete(response);
    if (!response.writableFinished) say({ event: "left" });
  });
  const react = reactions[mode];
  if (react) react(response);
  else send(response, Number(mode), { error: { message: `mode ${mode}` } });
}

const pem = certificate && readFileSync(certificate);
const server = pem ? createTlsServer({ cert: pem, key: pem }, serve) : createServer(serve);
server.listen(Number(port));
const discovery = await createDiscovery({ transports: [mdns()] });
await discovery.announce({
  port: Number(port),
  id: info,
  info,
  ...(pem && { scheme: "https" }),
  server: "vllm",
  apis: ["openai"],
  models: ["llama3"],
});
say({ event: "announced" });
for await (const text of process.stdin.setEncoding("utf8")) {
  for (const line of text.trim().split("\n")) {
    if (line === "finish") {
      for (const response of waiting) response.headersSent ? end(response) : reactions.answer(response);
    } else mode = line;
    say({ event: line });
  }
}
