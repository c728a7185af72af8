import type { Fingerprint, Identification } from "@lmserv/discovery-fingerprint";
import { seededRandom, VirtualClock } from "@lmserv/discovery-testkit";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { LocalServerChange } from "../../src/local-servers/local-server.ts";
import { watchLocalServers } from "../../src/local-servers/local-servers.ts";

const identification: Identification = {
  port: 11_434,
  scheme: "http",
  id: null,
  info: "",
  server: "ollama",
  version: "0.6.2",
  path: "/api/chat",
  apis: ["ollama", "openai"],
  models: ["llama3"],
  modelsCut: false,
  auth: "none",
  document: false,
};
const ollama: Fingerprint = { kind: "server", identification, others: [] };

let clock: VirtualClock;
let ending: AbortController;
/** Addresses on which the port accepts, with its socket; null if it is closed. */
let bound: { readonly addresses: readonly string[]; readonly inode: string } | null;
let result: Fingerprint;
let looks: number[];
let changes: LocalServerChange[];
let ended: Promise<unknown>;

async function watch(isNamed = false): Promise<void> {
  const stream = watchLocalServers({
    ports: [11_434],
    isNamed,
    clock,
    random: seededRandom(1),
    readListeners: async () => (bound ? [{ address: "0.0.0.0", port: 11_434, inode: bound.inode }] : []),
    answering: async () => bound?.addresses ?? [],
    fingerprint: async () => {
      looks.push(clock.now());
      return result;
    },
    signal: ending.signal,
  });
  ended = (async () => {
    for await (const change of stream) changes.push(change);
  })().catch((error) => error);
  await clock.advance(0);
}

beforeEach(() => {
  clock = new VirtualClock();
  ending = new AbortController();
  bound = { addresses: ["192.0.2.1", "127.0.0.1"], inode: "1" };
  result = ollama;
  looks = [];
  changes = [];
});

afterEach(async () => {
  ending.abort(new Error("over"));
  expect(await ended).toEqual(new Error("over"));
  await clock.advance(0);
  expect(clock.pending).toBe(0);
});

const inWords = (): string[] =>
  changes.map((change) => {
    if ("server" in change) return `${change.kind} ${change.server.identification?.server ?? "unknown"}`;
    return `${change.kind}: ${change.reason}`;
  });

test("a server that is there is told with what it says, and where it answers", async () => {
  await watch();
  const addresses = ["192.0.2.1", "127.0.0.1"];
  expect(changes).toEqual([{ kind: "up", server: { port: 11_434, addresses, identification } }]);
});

test("a server that starts later is told, and its end, within 2 s", async () => {
  bound = null;
  await watch();
  await clock.advance(60_000);
  bound = { addresses: ["127.0.0.1"], inode: "1" };
  await clock.advance(1_000);
  expect(inWords()).toEqual(["up ollama"]);
  bound = null;
  await clock.advance(2_000);
  expect(inWords()).toEqual(["up ollama", "down: nothing listens on its port any more"]);
});

test("a model that is added is told within 33 s", async () => {
  await watch();
  result = {
    kind: "server",
    identification: { ...identification, models: ["llama3", "qwen3"] },
    others: [],
  };
  await clock.advance(33_000);
  expect(inWords()).toEqual(["up ollama", "updated ollama"]);
});

test("a server that was started anew, or bound elsewhere, is looked at at once", async () => {
  await watch();
  await clock.advance(1_500);
  bound = { addresses: ["127.0.0.1"], inode: "2" };
  await clock.advance(1_000);
  expect(looks).toEqual([0, 2_000]);
  expect(changes.at(-1)).toMatchObject({ kind: "updated", server: { addresses: ["127.0.0.1"] } });
});

describe("a server that is there", () => {
  test("and busy stays as it was", async () => {
    await watch();
    result = { kind: "silent", why: "no-answer" };
    await clock.advance(300_000);
    expect(inWords()).toEqual(["up ollama"]);
  });

  test("is down when it shows to be something else, at the second look", async () => {
    await watch();
    result = { kind: "other", is: "failing" };
    await clock.advance(33_000);
    expect(inWords()).toEqual(["up ollama"]);
    await clock.advance(6_000);
    const reason = "it answers every question with a server error";
    expect(inWords()).toEqual(["up ollama", `down: ${reason}`, `ignored: ${reason}`]);
  });

  test("changes its kind without an end", async () => {
    await watch();
    result = { kind: "server", identification: { ...identification, server: "vllm" }, others: [] };
    await clock.advance(33_000);
    expect(inWords()).toEqual(["up ollama", "updated vllm"]);
  });
});

describe("a port without an LLM server", () => {
  test.each<[Fingerprint, string]>([
    [
      { kind: "other", is: "http" },
      "it speaks HTTP, and shows no sign of an LLM server; --port announces it all the same",
    ],
    [{ kind: "other", is: "failing" }, "it answers every question with a server error"],
    [{ kind: "other", is: "foreign" }, "it does not speak HTTP"],
    [{ kind: "silent", why: "closed" }, "the port accepts connections and closes them"],
    [
      { kind: "document", role: "gateway", others: [identification] },
      "its document says that it is no LLM server: its role is gateway",
    ],
    [
      { kind: "document", role: null, others: [identification] },
      "its document tells of servers on other ports only",
    ],
  ])("is told with the reason, once: %j", async (found, reason) => {
    result = found;
    await watch();
    await clock.advance(60_000);
    expect(inWords()).toEqual([`ignored: ${reason}`]);
    result = ollama;
    await clock.advance(6_000);
    expect(inWords()).toEqual([`ignored: ${reason}`, "up ollama"]);
  });

  test("is none by its document, also when the user named it", async () => {
    result = { kind: "document", role: "gateway", others: [] };
    await watch(true);
    await clock.advance(60_000);
    expect(inWords()).toEqual(["ignored: its document says that it is no LLM server: its role is gateway"]);
  });

  test("counts as an unknown server when the user named it and it speaks HTTP", async () => {
    result = { kind: "other", is: "http" };
    await watch(true);
    expect(changes).toMatchObject([{ kind: "up", server: { port: 11_434, identification: null } }]);
  });

  test("that does not answer yet is asked again each 5 s", async () => {
    result = { kind: "silent", why: "no-answer" };
    await watch();
    await clock.advance(20_000);
    expect(changes).toEqual([]);
    expect(looks.length).toBeGreaterThanOrEqual(4);
  });
});
