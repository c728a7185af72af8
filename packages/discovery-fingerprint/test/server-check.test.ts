import { getEventListeners } from "node:events";
import { systemClock } from "@lmserv/discovery-core/transport";
import { VirtualClock } from "@lmserv/discovery-testkit";
import { describe, expect, it } from "vitest";
import { checkServer, type ServerCheck } from "../src/index.ts";
import { ollama } from "./fixtures/ollama.ts";
import { notFound } from "./fixtures/recording.ts";
import { host, type Loopback, replay, serveFull, serveHttp, serveTcp } from "./loopback.ts";

const { signal } = new AbortController();

function check({ port }: Pick<Loopback, "port">, ask: boolean): Promise<ServerCheck> {
  return checkServer({ host, port, clock: systemClock, signal, ask });
}

/** Server that never answers, as one that evaluates a prompt in its only thread. */
function serveBusy(): Promise<Loopback> {
  return serveTcp((socket) => void socket.resume());
}

describe("a port that is asked", () => {
  it.each(ollama)("serves: $title", async (recording) => {
    expect(await check(await replay(recording), true)).toBe("serving");
  });

  it("serves where it is a server of a kind that is unknown", async () => {
    const answers = { "/": notFound };
    const server = await replay({ title: "", answers, otherwise: notFound, expected: null, questions: 3 });
    expect(await check(server, true)).toBe("serving");
  });

  it("fails where it says 503 whatever is asked", async () => {
    const server = await serveHttp((_, response) => response.writeHead(503).end());
    expect(await check(server, true)).toBe("failing");
  });

  it("has 4 s to answer; then it is busy, not dead", async () => {
    const clock = new VirtualClock();
    const server = await serveHttp(() => {});
    const checking = checkServer({ host, port: server.port, clock, signal });
    await expect.poll(() => server.requests.length).toBe(1);
    await clock.advance(4_000);
    expect(await checking).toBe("no-answer");
  });
});

describe("a port that is only connected to", () => {
  it("is not asked, and let go of", async () => {
    const server = await serveHttp(() => {});
    expect(await check(server, false)).toBe("no-answer");
    await expect.poll(server.open).toBe(0);
    expect(server.connections()).toBe(1);
    expect(server.requests).toEqual([]);
  });

  it("gets 1 s to accept", async () => {
    const clock = new VirtualClock();
    const { port } = await serveFull();
    const checking = checkServer({ host, port, clock, signal, ask: false });
    await clock.advance(1_000);
    expect(await checking).toBe("no-connection");
    expect(clock.pending).toBe(0);
  });

  it("rejects with the reason of an abort, and is let go of", async () => {
    const ending = new AbortController();
    const clock = new VirtualClock();
    const server = await serveBusy();
    const checking = checkServer({ host, port: server.port, clock, signal: ending.signal, ask: false });
    await expect.poll(server.open).toBe(1);
    const reason = new Error("enough");
    ending.abort(reason);
    await expect(checking).rejects.toBe(reason);
    await expect.poll(server.open).toBe(0);
    expect(clock.pending).toBe(0);
  });
});

describe.each([true, false])("a port, asked: %s", (ask) => {
  it("that accepts and closes at once is no server", async () => {
    const server = await serveTcp((socket) => void socket.destroy());
    expect(await check(server, ask)).toBe("closed");
  });

  it("that closes with a reset is no server", async () => {
    const server = await serveTcp((socket) => void socket.resetAndDestroy());
    expect(await check(server, ask)).toBe("closed");
  });

  it("that greets as SSH does is no server", async () => {
    const server = await serveTcp((socket) => void socket.write("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"));
    expect(await check(server, ask)).toBe("foreign");
  });

  it("that nobody listens on refuses", async () => {
    const server = await serveBusy();
    await server.close();
    expect(await check(server, ask)).toBe("refused");
  });

  it("of an address that leads nowhere has no route", async () => {
    const there = checkServer({ host: "255.255.255.255", port: 9, clock: systemClock, signal, ask });
    expect(await there).toBe("no-route");
  });

  it("is not asked after an abort", async () => {
    const server = await serveBusy();
    const reason = new Error("enough");
    const aborted = AbortSignal.abort(reason);
    const checking = checkServer({ host, port: server.port, clock: systemClock, signal: aborted, ask });
    await expect(checking).rejects.toBe(reason);
    expect(server.connections()).toBe(0);
  });
});

it.each([true, false])("listens once to a signal that stands for many ports, asked: %s", async (ask) => {
  const ending = new AbortController();
  const clock = new VirtualClock();
  const server = await serveBusy();
  const options = { host, port: server.port, clock, signal: ending.signal, ask };
  const checks = Array.from({ length: 40 }, () => checkServer(options));
  expect(getEventListeners(ending.signal, "abort")).toHaveLength(1);
  ending.abort(new Error("enough"));
  await Promise.allSettled(checks);
  expect(getEventListeners(ending.signal, "abort")).toEqual([]);
});

it("says at once what it cannot work with", async () => {
  const options = { clock: systemClock, signal };
  await expect(checkServer({ ...options, host: "localhost", port: 1 })).rejects.toThrow('host "localhost"');
  await expect(checkServer({ ...options, host, port: 0 })).rejects.toThrow("port 0");
});
