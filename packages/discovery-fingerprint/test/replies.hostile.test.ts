import { createServer, type Server, type Socket } from "node:net";
import { type Clock, systemClock } from "@lmserv/discovery-core/transport";
import { hostileBytes, hostileText, readsHostile } from "@lmserv/test-hostile";
import fc, { type Arbitrary } from "fast-check";
import { readDocument } from "../src/document/document.ts";
import { conditionOf } from "../src/health/condition.ts";
import { healthPlanOf } from "../src/health/health-plan.ts";
import { describeModels, loadedModels } from "../src/health/model-list.ts";
import { maxModels } from "../src/http/limits.ts";
import { type Reply, readReply } from "../src/http/reply.ts";
import { fromReplies } from "../src/identify/identification.ts";
import { nextQuestion, recognise } from "../src/identify/plan.ts";
import { defaultPorts, fingerprint } from "../src/index.ts";
import { recordings } from "./fixtures/recordings.ts";
import { host } from "./loopback.ts";

const server = {
  ...{ id: "a".repeat(32), info: "a box", port: 8_000, scheme: "http", path: "/chat" },
  ...{ server: "lmserv", version: "1.0", apis: ["openai"], models: ["a", "b"], auth: "none" },
};
const document = JSON.stringify({ schemaVersion: 1, role: null, servers: [server, { port: 11_434 }] });
const ps = JSON.stringify({ models: [{ name: "a", size: 5_000_000, digest: "d", context_length: 4_096 }] });
const metrics =
  'vllm:num_requests_waiting{model="a"} 0.0\nsglang:num_queue_reqs{engine="0"} 3\nworkers idle: 0\n';
const answers = [
  ...recordings.flatMap((one) => Object.entries(one.answers)),
  ["/.well-known/lmserv.json", { status: 200, type: "application/json", body: document }] as const,
  ["/api/ps", { status: 200, type: "application/json", body: ps }] as const,
  ["/metrics", { status: 200, type: "text/plain", body: metrics }] as const,
];
const statuses = fc.constantFrom(200, 204, 302, 400, 401, 404, 429, 500, 501, 503);

const reply: Arbitrary<Reply> = fc.constantFrom(...answers).chain(([path, { status, type, body }]) =>
  fc
    .record({
      status: fc.oneof(fc.constant(status), statuses),
      type: hostileText(fc.constant(type ?? "application/json; charset=utf-8")),
      coding: fc.oneof({ weight: 9, arbitrary: fc.constant("identity") }, hostileText(fc.constant("gzip"))),
      bytes: hostileBytes(fc.constant(body)),
      isCut: fc.boolean(),
    })
    .map(({ status, type, coding, ...rest }) =>
      readReply(path, status, { "content-type": type, "content-encoding": coding, server: type }, rest),
    ),
);
const replies = fc.array(reply, { minLength: 1, maxLength: 4 });

readsHostile("fingerprint answers", {
  inputs: fc.tuple(replies, fc.constantFrom(...defaultPorts)),
  // One list of models and one of APIs.
  maxKept: 2 * maxModels,
  everyday: 300,
  open: () => {
    let kept = 0;
    return {
      kept: () => kept,
      read: ([said, port]) => {
        nextQuestion(said, port);
        const serverKind = recognise(said);
        const found = serverKind && fromReplies(serverKind, said, { port, scheme: "http" });
        const read = said.flatMap(({ json, isCut }) => readDocument(json, isCut)?.servers ?? []);
        kept = Math.max(
          read.length,
          ...[found, ...read].map((one) => (one?.models.length ?? 0) + (one?.apis.length ?? 0)),
        );
      },
    };
  },
});

const kinds = [
  "lmserv",
  "ollama",
  "llama.cpp",
  "vllm",
  "sglang",
  "lmstudio",
  "koboldcpp",
  "localai",
  "__proto__",
  null,
];

readsHostile("health answers", {
  inputs: fc.tuple(replies, fc.constantFrom(...kinds)),
  maxKept: 2 * maxModels,
  everyday: 300,
  open: () => {
    let kept = 0;
    return {
      kept: () => kept,
      read: ([said, server]) => {
        const plan = healthPlanOf(server);
        conditionOf(plan, said);
        const models = describeModels(["known"], plan, said);
        kept = models.length + loadedModels(models, plan, said).length;
      },
    };
  },
});

const head = [
  ...["HTTP/1.1 200 OK", "Server: uvicorn", "Content-Type: application/json; charset=utf-8"],
  ...["Transfer-Encoding: chunked", "Connection: close", "", ""],
].join("\r\n");
const plain = `HTTP/1.1 200 OK\r\nServer: llama.cpp\r\nContent-Encoding: identity\r\nContent-Length: ${document.length}\r\n\r\n${document}`;
const chunked = `${head}${document.length.toString(16)}\r\n${document}\r\n0\r\n\r\n`;
const interim = `HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\nHTTP/1.0 503 Loading\r\nRetry-After: 1\r\n\r\nloading`;

/** Sends the same bytes to each connection, and closes it. */
class HostileServer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  bytes: Buffer = Buffer.alloc(0);

  constructor() {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on("error", () => {}).on("close", () => this.#sockets.delete(socket));
      socket.once("data", () => socket.end(this.bytes));
    });
  }

  get open(): number {
    return this.#sockets.size;
  }

  listen(): Promise<number> {
    return new Promise((resolve) => {
      this.#server.listen(0, host, () => {
        const address = this.#server.address();
        resolve(typeof address === "object" && address ? address.port : 0);
      });
    });
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}

readsHostile("raw HTTP", {
  inputs: hostileBytes(fc.constantFrom(plain, chunked, interim)),
  // Timers of one look, and connections whose end the other side has not seen yet.
  maxKept: 16,
  everyday: 100,
  open: async () => {
    const hostile = new HostileServer();
    const port = await hostile.listen();
    const timers = new Set<() => void>();
    // A standstill of the machine is no silence of the server, which always ends.
    const clock: Clock = {
      ...systemClock,
      schedule: (delayMs, callback) => {
        const cancel = systemClock.schedule(30 * delayMs, callback);
        timers.add(cancel);
        return () => {
          timers.delete(cancel);
          cancel();
        };
      },
    };
    const { signal } = new AbortController();
    return {
      kept: () => timers.size + hostile.open,
      close: () => hostile.close(),
      read: async (bytes) => {
        hostile.bytes = bytes;
        await fingerprint({ host, port, clock, signal });
      },
    };
  },
});
