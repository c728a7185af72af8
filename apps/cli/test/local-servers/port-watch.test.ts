import type { Listener } from "@lmserv/discovery-network";
import { VirtualClock } from "@lmserv/discovery-testkit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { watchPorts } from "../../src/local-servers/port-watch.ts";

let clock: VirtualClock;
let ending: AbortController;
let table: Listener[] | null;
let accepting: Set<number>;
let connected: number[];
let told: string[];
let ended: Promise<unknown>;

beforeEach(async () => {
  clock = new VirtualClock();
  ending = new AbortController();
  table = [];
  accepting = new Set();
  connected = [];
  told = [];
  const changes = watchPorts({
    ports: [8_080, 11_434],
    clock,
    isNamed: false,
    readListeners: async () => table,
    isAccepted: async (port) => {
      connected.push(port);
      return accepting.has(port);
    },
    signal: ending.signal,
  });
  ended = (async () => {
    for await (const { kind, port } of changes) told.push(`${clock.now()} ${kind} ${port}`);
  })().catch((error) => error);
  await clock.advance(0);
});

afterEach(async () => {
  ending.abort(new Error("over"));
  expect(await ended).toEqual(new Error("over"));
  expect(clock.pending).toBe(0);
});

const bound = (port: number, inode: string): Listener => ({ address: "0.0.0.0", port, inode });

test("a server that the table shows is never connected to", async () => {
  table = [bound(8_080, "1"), bound(11_434, "2")];
  connected.length = 0;
  await clock.advance(60_000);
  expect([told, connected]).toEqual([["1000 opened 8080", "1000 opened 11434"], []]);
});

test("a server of the table that ends is told within 2 s", async () => {
  table = [bound(8_080, "1")];
  await clock.advance(10_500);
  table = [];
  await clock.advance(1_900);
  expect(told).toEqual(["1000 opened 8080", "12000 closed 8080"]);
});

test("a restart within a look, and one across two looks, is no end", async () => {
  table = [bound(8_080, "1")];
  await clock.advance(1_000);
  table = [bound(8_080, "2")];
  await clock.advance(1_000);
  table = [];
  await clock.advance(1_100);
  table = [bound(8_080, "3")];
  await clock.advance(10_000);
  expect(told).toEqual(["1000 opened 8080", "2000 restarted 8080", "3250 restarted 8080"]);
});

test("a port that the table does not show is connected to, every 2 s while it is open", async () => {
  accepting.add(11_434);
  await clock.advance(30_000);
  expect(told).toEqual(["10000 opened 11434"]);
  connected.length = 0;
  await clock.advance(20_000);
  expect(connected.filter((port) => port === 11_434)).toHaveLength(10);
  expect(connected.filter((port) => port === 8_080)).toHaveLength(2);
  accepting.delete(11_434);
  await clock.advance(5_000);
  expect(told.at(-1)).toMatch(/closed 11434$/);
});

test("a system without a table is connected to", async () => {
  table = null;
  accepting.add(8_080);
  await clock.advance(10_000);
  expect(told).toEqual(["10000 opened 8080"]);
});
