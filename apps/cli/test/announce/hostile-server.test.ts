import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import { systemClock } from "@lmserv/discovery-core/transport";
import { fingerprint } from "@lmserv/discovery-fingerprint";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Announcing, lan } from "../announcing.ts";

// Follows a server's bytes over a real connection, up to its announcement and the printed text.

let scene: Announcing;
let server: Server;

beforeEach(() => {
  scene = new Announcing();
  scene.machine.accepting.add(lan);
});

afterEach(async () => {
  scene.running.signal("SIGTERM");
  await scene.running.ended;
  server.close();
});

type Reply = (path: string) => string;

/** Announces port 8000, whose server sends these bytes for each path and then closes. */
async function announce(reply: Reply): Promise<void> {
  server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", (data) => socket.end(reply(data.toString("latin1").split(" ")[1] ?? "")));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const { signal } = new AbortController();
  const result = await fingerprint({ host: "127.0.0.1", port, signal, clock: systemClock, patient: true });
  scene.machine.servers.set(8_000, result);
  await scene.announce();
}

function ollama(list: string, head = "HTTP/1.1 200 OK"): Reply {
  const bodies: Readonly<Record<string, string>> = {
    "/": "Ollama is running",
    "/api/version": '{"version":"0.6.2"}',
    "/api/tags": '{"models":[]}',
    "/v1/models": list,
  };
  return (path) => {
    const body = bodies[path];
    if (body === undefined) return "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
    const type = path === "/" ? "text/plain" : "application/json";
    return `${head}\r\nContent-Type: ${type}\r\n\r\n${body}`;
  };
}

const announced = (): Readonly<Record<string, unknown>> | undefined => scene.heard[0]?.node;

function expectHarmless(): void {
  const { stderr } = scene.machine;
  expect([...stderr.text].filter((char) => char !== "\n" && char < " ")).toEqual([]);
}

it("lists of its models those that an announcement can name, and no more than it may hold", async () => {
  const odd = ["a,b", 'say "hi"', "\u001b[31mred\u001b[2J", "x".repeat(4_096), "__proto__"];
  const many = Array.from({ length: 10_000 }, (_, index) => `m${index}`);
  await announce(ollama(JSON.stringify({ object: "list", data: [...odd, ...many].map((id) => ({ id })) })));
  expect(announced()).toMatchObject({ server: "ollama", path: "/api/chat" });
  const models = announced()?.models as readonly string[];
  expect(models).toEqual(expect.arrayContaining(['say "hi"', "__proto__", "m0"]));
  expect(models.length).toBeLessThanOrEqual(256);
  for (const model of models) {
    expect(model.length).toBeLessThanOrEqual(256);
    expect([...model].filter((char) => char === "," || char < " ")).toEqual([]);
  }
  expectHarmless();
});

it("is announced with as many of its models as every transport can carry", async () => {
  const long = Array.from({ length: 200 }, (_, index) => `${index}`.padEnd(250, '"'));
  await announce(ollama(JSON.stringify({ object: "list", data: long.map((id) => ({ id })) })));
  const models = announced()?.models as readonly string[];
  expect(models.length).toBeGreaterThan(5);
  // A record of the mesh has 16,384 bytes, and quotes in a text in a text are escaped twice.
  expect(JSON.stringify(JSON.stringify(models)).length).toBeLessThan(15_000);
});

it("says nothing by keys that are there twice, or belong to every object", async () => {
  const list = '{"__proto__":{"data":[{"id":"evil"}]},"data":[{"id":"old"}],"data":[{"id":"new"}]}';
  await announce(ollama(list));
  expect(announced()).toMatchObject({ server: "ollama", models: ["new"] });
});

it("speaks HTTP/1.0, and is announced", async () => {
  await announce(ollama('{"object":"list","data":[{"id":"llama3"}]}', "HTTP/1.0 200 OK"));
  expect(announced()).toMatchObject({ server: "ollama", models: ["llama3"] });
});

it.each<[string, Reply]>([
  ["chunks without a length", () => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nrubbish\r\n"],
  ["a certificate", () => "\u0016\u0003\u0003\u0000\u0002\u0001\u0000"],
  ["an escape sequence", () => "\u001b[2J\u001b]0;owned\u0007\r\n"],
])("is not announced as an LLM server where it sends %s", async (_, reply) => {
  await announce(reply);
  expect(announced()?.server ?? null).toBeNull();
  expect(scene.news().length).toBeGreaterThan(0);
  expectHarmless();
});
