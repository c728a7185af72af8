import { getEventListeners } from "node:events";
import { onAbort } from "@lmserv/discovery-core";
import { VirtualClock } from "@lmserv/discovery-testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { assumeServer, type Connect, type ServerState, watchServer } from "../src/server-watch.ts";

const local = "127.0.0.1";
const lan = "198.51.100.7";

let clock: VirtualClock;
let ending: AbortController;
let accepting: Set<string>;
let hanging: Set<string>;
let attempts: { readonly address: string; readonly port: number; readonly atMs: number }[];
let seen: { readonly atMs: number; readonly state: ServerState }[];
let ended: Promise<unknown>;

const connect: Connect = (address, port, signal) => {
  attempts.push({ address, port, atMs: clock.now() });
  if (accepting.has(address)) return Promise.resolve();
  if (!hanging.has(address)) return Promise.reject(new Error("refused"));
  return new Promise((_, reject) => onAbort(signal, () => reject(signal.reason)));
};

async function collect(states: AsyncIterable<ServerState>): Promise<void> {
  for await (const state of states) seen.push({ atMs: clock.now(), state });
}

function watch(own: readonly string[] = [local, lan]): void {
  const options = { port: 8000, clock, connect, addresses: () => own, signal: ending.signal };
  ended = collect(watchServer(options)).catch((error) => error);
}

beforeEach(() => {
  clock = new VirtualClock();
  ending = new AbortController();
  accepting = new Set();
  hanging = new Set();
  attempts = [];
  seen = [];
  ended = Promise.resolve();
});

afterEach(async () => {
  ending.abort();
  await ended;
  expect(clock.pending).toBe(0);
});

describe("watchServer", () => {
  it("tells at once on which addresses a server answers", async () => {
    accepting.add(local).add(lan);
    watch();
    await clock.advance(0);
    expect(seen).toEqual([{ atMs: 0, state: { kind: "answers", addresses: [local, lan] } }]);
    expect(attempts.map(({ port }) => port)).toEqual([8000, 8000]);
  });

  it("tells once that nobody answers, and when somebody does", async () => {
    watch();
    await clock.advance(12_000);
    expect(seen).toEqual([{ atMs: 0, state: { kind: "silent" } }]);
    accepting.add(lan);
    await clock.advance(5_000);
    expect(seen.slice(1)).toEqual([{ atMs: 15_000, state: { kind: "answers", addresses: [lan] } }]);
  });

  it("checks every 5 s, with one connection while the server answers", async () => {
    accepting.add(local).add(lan);
    watch();
    await clock.advance(20_000);
    const later = attempts.slice(2);
    expect(later.map(({ atMs }) => atMs)).toEqual([5_000, 10_000, 15_000, 20_000]);
    expect(new Set(later.map(({ address }) => address))).toEqual(new Set([lan]));
    expect(seen).toHaveLength(1);
  });

  it("takes two failures in a row for the end", async () => {
    accepting.add(local);
    watch();
    await clock.advance(100);
    accepting.clear();
    await clock.advance(9_899);
    expect(seen).toHaveLength(1);
    await clock.advance(1);
    expect(seen[1]).toEqual({ atMs: 10_000, state: { kind: "silent" } });
  });

  it("forgives a single failure", async () => {
    accepting.add(local);
    watch();
    for (let round = 0; round < 3; round += 1) {
      await clock.advance(4_000);
      accepting.clear();
      await clock.advance(5_000);
      accepting.add(local);
      await clock.advance(1_000);
    }
    expect(seen).toHaveLength(1);
  });

  it("finds a server that moved to another address", async () => {
    accepting.add(local);
    watch();
    await clock.advance(1_000);
    accepting = new Set([lan]);
    await clock.advance(30_000);
    expect(seen).toHaveLength(1);
  });

  it("gives a connection 1 s, so that a hung server is noticed within 11 s", async () => {
    accepting.add(local);
    watch();
    await clock.advance(100);
    accepting.clear();
    hanging.add(local).add(lan);
    await clock.advance(30_000);
    expect(seen[1]).toEqual({ atMs: 11_000, state: { kind: "silent" } });
    expect(new Set(attempts.map(({ atMs }) => atMs % 5_000))).toEqual(new Set([0]));
  });

  it("needs only one address to answer, however long the others take", async () => {
    accepting.add(lan);
    hanging.add(local);
    watch();
    await clock.advance(1_000);
    expect(seen).toEqual([{ atMs: 1_000, state: { kind: "answers", addresses: [lan] } }]);
  });

  it("keeps one listener of its signal, however many addresses there are", async () => {
    const many = Array.from({ length: 40 }, (_, index) => `198.51.100.${index}`);
    for (const address of many) hanging.add(address);
    watch(many);
    await clock.advance(0);
    expect(attempts).toHaveLength(40);
    expect(getEventListeners(ending.signal, "abort")).toHaveLength(1);
  });

  it.each(["at first", "between checks", "during a check"])(
    "ends with the reason of an abort %s",
    async (when) => {
      if (when === "during a check") hanging.add(local);
      const reason = new Error("enough");
      if (when === "at first") ending.abort(reason);
      watch();
      await clock.advance(500);
      ending.abort(reason);
      await expect(ended).resolves.toBe(reason);
    },
  );
});

describe("assumeServer", () => {
  it("says that a server answers, and nothing more until aborted", async () => {
    ended = collect(assumeServer(clock, ending.signal)).catch((error) => error);
    await clock.advance(100_000_000);
    expect(seen).toEqual([{ atMs: 0, state: { kind: "answers", addresses: [] } }]);
    expect(attempts).toEqual([]);
    ending.abort();
    await expect(ended).resolves.toBe(ending.signal.reason);
  });
});
