import { sleep } from "@lmserv/discovery-core";
import type { ServerCheck } from "@lmserv/discovery-identify";
import { VirtualClock } from "@lmserv/discovery-testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { assumeServer, type Check, type ServerState, watchServer } from "../src/server-watch.ts";

const local = "127.0.0.1";
const lan = "198.51.100.7";

let clock: VirtualClock;
let ending: AbortController;
/** What a connection shows on each address, and what the server there says when it is asked. */
let shown: Map<string, ServerCheck>;
let said: ServerCheck;
let own: readonly string[];
let attempts: { readonly address: string; readonly port: number; readonly atMs: number }[];
let askedMs: number[];
let seen: { readonly atMs: number; readonly state: ServerState }[];
let ended: Promise<unknown>;

const check: Check = async ({ address, port, ask, signal }) => {
  const standing = shown.get(address) ?? "refused";
  if (ask) askedMs.push(clock.now());
  else attempts.push({ address, port, atMs: clock.now() });
  if (standing === "no-connection") await sleep(clock, 1_000, signal);
  return ask && standing === "no-answer" ? said : standing;
};

function accept(...addresses: readonly string[]): void {
  for (const address of addresses) shown.set(address, "no-answer");
}

async function collect(states: AsyncIterable<ServerState>): Promise<void> {
  for await (const state of states) seen.push({ atMs: clock.now(), state });
}

function watch(): void {
  const options = { port: 8000, clock, check, addresses: () => own, signal: ending.signal };
  ended = collect(watchServer(options)).catch((error) => error);
}

beforeEach(() => {
  clock = new VirtualClock();
  ending = new AbortController();
  shown = new Map();
  said = "serving";
  own = [local, lan];
  attempts = [];
  askedMs = [];
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
    accept(local, lan);
    watch();
    await clock.advance(0);
    expect(seen).toEqual([{ atMs: 0, state: { kind: "answers", at: [local, lan] } }]);
    expect(attempts.map(({ port }) => port)).toEqual([8000, 8000]);
  });

  it("tells once that nobody answers, and when somebody does", async () => {
    watch();
    await clock.advance(12_000);
    expect(seen).toEqual([{ atMs: 0, state: { kind: "silent", why: "refused" } }]);
    accept(lan);
    await clock.advance(5_000);
    expect(seen.slice(1)).toEqual([{ atMs: 15_000, state: { kind: "answers", at: [lan] } }]);
  });

  it("checks every 5 s, with one connection while the server answers", async () => {
    accept(local, lan);
    watch();
    await clock.advance(20_000);
    const later = attempts.slice(2);
    expect(later.map(({ atMs }) => atMs)).toEqual([5_000, 10_000, 15_000, 20_000]);
    expect(new Set(later.map(({ address }) => address))).toEqual(new Set([lan]));
    expect(seen).toHaveLength(1);
  });

  it("takes two failures in a row for the end", async () => {
    accept(local);
    watch();
    await clock.advance(100);
    shown.clear();
    await clock.advance(9_899);
    expect(seen).toHaveLength(1);
    await clock.advance(1);
    expect(seen[1]).toEqual({ atMs: 10_000, state: { kind: "silent", why: "refused" } });
  });

  it("forgives a single failure", async () => {
    accept(local);
    watch();
    for (let round = 0; round < 3; round += 1) {
      await clock.advance(4_000);
      shown.clear();
      await clock.advance(5_000);
      accept(local);
      await clock.advance(1_000);
    }
    expect(seen).toHaveLength(1);
  });

  it("finds a server that moved to another address", async () => {
    accept(local);
    watch();
    await clock.advance(1_000);
    shown = new Map([[lan, "no-answer"]]);
    await clock.advance(30_000);
    expect(seen.slice(1)).toEqual([{ atMs: 10_000, state: { kind: "answers", at: [lan] } }]);
  });

  it("notices within a minute that a server was bound to a further address, and to one less", async () => {
    accept(local);
    watch();
    await clock.advance(100);
    accept(lan);
    await clock.advance(60_000);
    expect(seen.slice(1)).toEqual([{ atMs: 60_000, state: { kind: "answers", at: [local, lan] } }]);
    shown.delete(local);
    await clock.advance(65_000);
    expect(seen.slice(2)).toEqual([{ atMs: 125_000, state: { kind: "answers", at: [lan] } }]);
  });

  it("forgives an address that is missed once", async () => {
    accept(local, lan);
    watch();
    await clock.advance(59_000);
    shown.delete(local);
    await clock.advance(1_000);
    accept(local);
    await clock.advance(120_000);
    expect(seen).toHaveLength(1);
  });

  it("tries a new address of this machine at once, and leaves out one that is gone", async () => {
    const further = "10.8.0.2";
    accept(local, lan, further);
    watch();
    await clock.advance(100);
    own = [local, lan, further];
    await clock.advance(5_000);
    expect(seen[1]).toEqual({ atMs: 5_000, state: { kind: "answers", at: [local, lan, further] } });
    own = [local, further];
    await clock.advance(5_000);
    expect(seen[2]).toEqual({ atMs: 10_000, state: { kind: "answers", at: [local, further] } });
  });

  it("keeps an address whose queue of connections is full", async () => {
    accept(local, lan);
    watch();
    await clock.advance(100);
    shown.set(local, "no-connection");
    await clock.advance(300_000);
    expect(seen).toHaveLength(1);
  });

  it.each([
    ["no-answer", "evaluates a prompt in its only thread"],
    ["no-connection", "has a full queue of connections"],
    ["unasked", "cannot be asked for want of descriptors"],
  ] as const)("does not take %s for the end: a server that %s", async (standing, _) => {
    accept(lan);
    watch();
    await clock.advance(100);
    said = standing;
    shown.set(lan, standing);
    await clock.advance(600_000);
    expect(seen).toHaveLength(1);
    shown.delete(lan);
    await clock.advance(11_000);
    expect(seen[1]?.state).toEqual({ kind: "silent", why: "refused" });
  });

  it.each(["no-connection", "unasked"] as const)("does not take %s for a beginning", async (standing) => {
    shown.set(lan, standing);
    watch();
    await clock.advance(1_000);
    expect(seen.map(({ state }) => state.kind)).toEqual(["silent"]);
  });

  it("does not hold on to an address that this machine has no more", async () => {
    accept(lan);
    watch();
    await clock.advance(100);
    shown.set(lan, "no-connection");
    own = [local];
    await clock.advance(11_000);
    expect(seen[1]?.state).toEqual({ kind: "silent", why: "refused" });
  });

  it.each(["closed", "foreign", "failing"] as const)(
    "tells of %s within 11 s of a server's end",
    async (standing) => {
      accept(lan);
      watch();
      await clock.advance(100);
      shown.set(lan, standing);
      await clock.advance(11_000);
      expect(seen.slice(1).map(({ state }) => state)).toEqual([{ kind: "silent", why: standing }]);
    },
  );

  it.each(["closed", "foreign", "failing"] as const)(
    "takes a port that shows %s for none",
    async (answer) => {
      accept(local, lan);
      said = answer;
      watch();
      await clock.advance(0);
      expect(seen.map(({ state }) => state)).toEqual([{ kind: "silent", why: answer }]);
      said = "serving";
      await clock.advance(5_000);
      expect(seen[1]?.state).toEqual({ kind: "answers", at: [local, lan] });
    },
  );

  it("leaves out the addresses where a proxy stands in front of nobody", async () => {
    accept(local);
    shown.set(lan, "closed");
    watch();
    await clock.advance(0);
    expect(seen.map(({ state }) => state)).toEqual([{ kind: "answers", at: [local] }]);
  });

  it("asks at first, every 30 s, and no other time while all is well", async () => {
    accept(lan);
    watch();
    await clock.advance(120_000);
    expect(askedMs).toEqual([0, 30_000, 60_000, 90_000, 120_000]);
    expect(seen).toHaveLength(1);
  });

  it("notices within 41 s who fails whatever is asked", async () => {
    accept(lan);
    watch();
    await clock.advance(100);
    said = "failing";
    await clock.advance(41_000);
    expect(seen[1]?.state).toEqual({ kind: "silent", why: "failing" });
  });

  it("needs only one address to answer, however long the others take", async () => {
    accept(lan);
    shown.set(local, "no-connection");
    watch();
    await clock.advance(1_000);
    expect(seen).toEqual([{ atMs: 1_000, state: { kind: "answers", at: [lan] } }]);
  });

  it.each(["at first", "between checks", "during a check"])(
    "ends with the reason of an abort %s",
    async (when) => {
      if (when === "during a check") shown.set(local, "no-connection");
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
    expect(seen).toEqual([{ atMs: 0, state: { kind: "answers", at: "unknown" } }]);
    expect(attempts).toEqual([]);
    ending.abort();
    await expect(ended).resolves.toBe(ending.signal.reason);
  });
});
