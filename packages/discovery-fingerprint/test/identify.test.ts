import { VirtualClock } from "@lmserv/discovery-testkit";
import { describe, expect, it } from "vitest";
import {
  defaultPorts,
  documentHandler,
  documentPort,
  type Identification,
  type IdentifyOptions,
  identify,
} from "../src/index.ts";
import { noLlmServers } from "./fixtures/no-llm-server.ts";
import { ollama } from "./fixtures/ollama.ts";
import type { Recording } from "./fixtures/recording.ts";
import { vllm } from "./fixtures/vllm.ts";
import { Gate, host, type Loopback, leisurelyClock, replay, serveHttp } from "./loopback.ts";

function first([recording]: readonly Recording[]): Recording {
  if (!recording) throw new RangeError("there is no recording");
  return recording;
}

const { signal } = new AbortController();

function find(
  ports: readonly number[],
  options: Partial<IdentifyOptions> = {},
): AsyncIterable<Identification> {
  return identify({ clock: leisurelyClock, signal, host, ports, ...options });
}

async function all(found: AsyncIterable<Identification>): Promise<readonly Identification[]> {
  const identifications: Identification[] = [];
  for await (const identification of found) identifications.push(identification);
  return identifications;
}

async function closedPort(): Promise<number> {
  const server = await serveHttp(() => {});
  await server.close();
  return server.port;
}

function publish(document: { readonly port: number; readonly id: string }, after?: Gate): Promise<Loopback> {
  const handle = documentHandler(() => ({ schemaVersion: 1, servers: [document] }));
  return serveHttp(async (request, response) => {
    await after?.opened;
    if (!handle(request, response)) response.writeHead(404).end();
  });
}

describe("identify", () => {
  it("finds every LLM server of a host, and nothing else", async () => {
    const one = await replay(first(ollama));
    const another = await replay(first(vllm));
    const web = await replay(first(noLlmServers));
    const found = await all(find([await closedPort(), one.port, web.port, another.port, one.port]));
    expect(found.map(({ port, server }) => ({ port, server })).sort((a, b) => a.port - b.port)).toEqual(
      [
        { port: one.port, server: "ollama" },
        { port: another.port, server: "vllm" },
      ].sort((a, b) => a.port - b.port),
    );
    expect(one.connections()).toBe(1);
  });

  it("tells of a server as soon as it is known, whatever the others do", async () => {
    const clock = new VirtualClock();
    const silent = await serveHttp(() => {});
    const server = await replay(first(ollama));
    const found = find([silent.port, server.port], { clock })[Symbol.asyncIterator]();
    expect((await found.next()).value).toMatchObject({ server: "ollama" });
    const end = found.next();
    await expect.poll(() => silent.requests.length).toBe(1);
    await clock.advance(1_500);
    expect(await end).toEqual({ value: undefined, done: true });
    expect(clock.pending).toBe(0);
  });

  it("tells more of a server when its document comes later", async () => {
    const server = await replay(first(ollama));
    const found = new Gate();
    const announced = await publish({ port: server.port, id: "abc" }, found);
    const told: Identification[] = [];
    for await (const identification of find([server.port, announced.port])) {
      told.push(identification);
      found.open();
    }
    expect(told).toMatchObject([
      { port: server.port, server: "ollama", document: false },
      { port: server.port, id: "abc", document: true },
    ]);
  });

  it("tells nothing less of a server that a document has described", async () => {
    const read = new Gate();
    const server = await replay(first(ollama), { after: read });
    const announced = await publish({ port: server.port, id: "abc" });
    const told: Identification[] = [];
    for await (const identification of find([server.port, announced.port])) {
      told.push(identification);
      read.open();
    }
    expect(told).toMatchObject([{ port: server.port, id: "abc", document: true }]);
    expect(server.requests.length).toBe(4);
  });

  it("asks eight ports at a time", async () => {
    const clock = new VirtualClock();
    const silent = await Promise.all(Array.from({ length: 20 }, () => serveHttp(() => {})));
    const asked = (): number => silent.filter(({ connections }) => connections() > 0).length;
    const heard = (): number => silent.filter(({ requests }) => requests.length > 0).length;
    const found = all(
      find(
        silent.map(({ port }) => port),
        { clock },
      ),
    );
    for (const count of [8, 16, 20]) {
      await expect.poll(heard).toBe(count);
      expect(asked()).toBe(count);
      await clock.advance(1_500);
    }
    expect(await found).toEqual([]);
  });

  it("ends with the reason of an abort, and lets go of every connection", async () => {
    const ending = new AbortController();
    const silent = await Promise.all([serveHttp(() => {}), serveHttp(() => {})]);
    const found = all(
      find(
        silent.map(({ port }) => port),
        { signal: ending.signal },
      ),
    );
    await expect.poll(() => silent.every(({ requests }) => requests.length > 0)).toBe(true);
    const reason = new Error("enough");
    ending.abort(reason);
    await expect(found).rejects.toBe(reason);
    await expect.poll(() => silent.every(({ open }) => open() === 0)).toBe(true);
    await expect(all(find([1], { signal: ending.signal }))).rejects.toBe(reason);
  });

  it("lets go of everything at a break", async () => {
    const clock = new VirtualClock();
    const silent = await serveHttp(() => {});
    const server = await replay(first(ollama));
    for await (const { server: kind } of find([silent.port, server.port], { clock })) {
      expect(kind).toBe("ollama");
      break;
    }
    expect(clock.pending).toBe(0);
    await expect.poll(silent.open).toBe(0);
  });

  it("says at once what it cannot work with", () => {
    expect(() => find([8000], { host: "localhost" })).toThrow(
      new TypeError('host "localhost" must be an IPv4 or IPv6 address'),
    );
    expect(() => find([8000, 0])).toThrow(new RangeError("port 0 must be an integer from 1 to 65535"));
  });

  it("lets one signal stand for many hosts", async () => {
    const warnings: unknown[] = [];
    const onWarning = (warning: Error): unknown => warnings.push(warning.name);
    process.on("warning", onWarning);
    const port = await closedPort();
    await Promise.all(Array.from({ length: 30 }, (_, n) => all(find([port], { host: `127.0.0.${n + 1}` }))));
    await new Promise(setImmediate);
    process.off("warning", onWarning);
    expect(warnings).toEqual([]);
  });

  it("reaches IPv6, and names the host in brackets and without its zone", async () => {
    const server = await replay(first(ollama), { address: "::1" });
    expect(await all(find([server.port], { host: "::1" }))).toMatchObject([{ server: "ollama" }]);
    expect(server.requests[0]?.headers.host).toBe(`[::1]:${server.port}`);
    expect(await all(find([server.port], { host: "::1%lo" }))).toMatchObject([{ server: "ollama" }]);
    expect(server.requests.at(-1)?.headers.host).toBe(`[::1]:${server.port}`);
  });

  it("sends no credentials", async () => {
    const server = await replay(first(vllm));
    await all(find([server.port]));
    for (const { headers } of server.requests) {
      expect(Object.keys(headers).sort()).toEqual([
        "accept",
        "accept-encoding",
        "connection",
        "host",
        "user-agent",
      ]);
    }
  });
});

describe("defaultPorts", () => {
  it("starts with the port of documents, and names each once", () => {
    expect(defaultPorts[0]).toBe(documentPort);
    expect(new Set(defaultPorts).size).toBe(defaultPorts.length);
    expect(defaultPorts).toEqual(expect.arrayContaining([8000, 11434, 8080, 1234, 30000, 5001]));
  });
});
