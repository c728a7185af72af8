import { createDiscovery, type Discovery, type NodeInfo } from "@lmserv/discovery-core";
import {
  type ObservationSink,
  observationStream,
  type SeenNode,
  type Transport,
} from "@lmserv/discovery-core/transport";
import { seededRandom, VirtualClock } from "@lmserv/discovery-testkit";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { HealthAnswer, HealthOutcome, HealthQuestion } from "../src/health/health-question.ts";
import { httpHealth, intervalMs, type MonitorOptions, monitorWith } from "../src/health/http-health.ts";
import type { Silence } from "../src/http/silence.ts";
import { ollama } from "./fixtures/ollama.ts";
import { host, replay } from "./loopback.ts";

/** Received questions, and the test's answers. */
interface Asked extends HealthQuestion {
  readonly atMs: number;
  readonly signal: AbortSignal;
}

const healthy: HealthAnswer = { kind: "answer", state: "healthy", reason: null, latencyMs: 3, lists: null };
const silent = (why: Silence): HealthOutcome => ({ kind: "silence", why });

let clock: VirtualClock;
let discovery: Discovery;
let sink: ObservationSink | null;
let asked: Asked[];
let reconfirmed: string[];
/** Answers a question, at once by default. */
let answer: (question: HealthQuestion) => HealthOutcome | Promise<HealthOutcome>;

beforeEach(async () => {
  clock = new VirtualClock();
  asked = [];
  reconfirmed = [];
  sink = null;
  answer = () => healthy;
  await open();
});

async function open(options: MonitorOptions = {}, random: () => number = seededRandom(1)): Promise<void> {
  const health = monitorWith(async (question, signal) => {
    asked.push({ ...question, atMs: clock.now(), signal });
    return answer(question);
  }, options);
  discovery = await createDiscovery({ transports: [scripted()], clock, random, health, ttlMs: 86_400_000 });
  discovery.registry.listAlive();
}

afterEach(async () => {
  await discovery[Symbol.asyncDispose]();
  expect(clock.pending).toBe(0);
});

function scripted(): Transport {
  return {
    name: "scripted",
    async open() {
      const closing = new AbortController();
      return {
        browse: (_, { signal }) =>
          observationStream({
            signal,
            closed: closing.signal,
            start(to) {
              sink = to;
              return () => {};
            },
          }),
        reconfirm: async (key) => void reconfirmed.push(key),
        [Symbol.asyncDispose]: async () => closing.abort(),
      };
    },
  };
}

function say(id: string, fields: Partial<SeenNode> = {}, origin = ""): void {
  const node: SeenNode = {
    id,
    trust: "announced",
    port: 8000,
    scheme: "http",
    info: "",
    addresses: [{ address: "10.0.0.1", reach: "source" }],
    hostname: null,
    path: null,
    server: null,
    apis: [],
    models: [],
    auth: null,
    attributes: {},
    ...fields,
  };
  const report = { via: "scripted", key: id, origin, heardMs: clock.now(), ttlMs: 86_400_000 };
  sink?.push({ kind: "alive", ...report, node });
}

const at = (address: string): Partial<SeenNode> => ({ addresses: [{ address, reach: "source" }] });

async function appear(id: string, fields: Partial<SeenNode> = {}): Promise<void> {
  say(id, fields);
  await clock.advance(0);
}

function listed(id = "box"): NodeInfo | undefined {
  return discovery.registry.listAlive().find((node) => node.id === id);
}

const stateOf = (id?: string): string | undefined => listed(id)?.health?.state;

test("a node is described by its server, and known to be well", async () => {
  const [recording] = ollama;
  if (!recording) throw new RangeError("there is no recording");
  const there = await replay(recording);
  await discovery[Symbol.asyncDispose]();
  const random = seededRandom(1);
  discovery = await createDiscovery({ transports: [scripted()], random, health: httpHealth() });
  discovery.registry.listAlive();
  say("box", { port: there.port, addresses: [{ address: host, reach: "source" }] });
  await expect.poll(() => stateOf()).toBe("healthy");
  expect(listed()).toMatchObject({
    server: "ollama",
    path: "/api/chat",
    apis: ["ollama", "openai"],
    health: { models: [{ name: "llama3.2:latest", size: 2_019_393_189 }, { name: "me/mine:8b" }] },
  });
});

describe("the interval of checks", () => {
  test.each([
    ["usual", 1, 5_000],
    ["usual", 200, 5_000],
    ["usual", 1_000, 25_000],
    ["while-silent", 1_000, 1_000],
    ["at-once", 1_000, 0],
  ] as const)("is, %s among %i, %i ms", (pace, nodes, ms) => {
    expect(intervalMs(pace, nodes)).toBe(ms);
  });

  test("is kept for each node, spread by a tenth", async () => {
    await appear("box");
    expect(asked).toHaveLength(1);
    await clock.advance(600_000);
    const gaps = asked.slice(1).map(({ atMs }, index) => atMs - (asked[index]?.atMs ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(4_500);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(5_500);
    expect(new Set(gaps).size).toBeGreaterThan(50);
  });

  test("keeps a thousand nodes at 40 checks a second", async () => {
    for (let n = 0; n < 1_000; n += 1)
      say(`box-${n}`, { addresses: [{ address: `10.0.${n >> 8}.${n & 255}`, reach: "source" }] });
    await clock.advance(30_000);
    asked.length = 0;
    await clock.advance(100_000);
    expect(asked.length / 100).toBeGreaterThan(38);
    expect(asked.length / 100).toBeLessThan(42);
  });
});

describe("checks under way", () => {
  test("are one for each node, and 128 in all", async () => {
    answer = () => new Promise(() => {});
    for (let n = 0; n < 200; n += 1) say(`box-${n}`, at(`10.0.1.${n}`));
    await clock.advance(60_000);
    expect(asked).toHaveLength(128);
  });

  test("end with the node, and leave their place to others", async () => {
    answer = ({ host }) => (host === "10.0.0.9" ? healthy : new Promise(() => {}));
    for (let n = 0; n < 128; n += 1) say(`box-${n}`, at(`10.0.1.${n}`));
    await appear("late", at("10.0.0.9"));
    expect(stateOf("late")).toBeUndefined();
    sink?.push({ kind: "gone", via: "scripted", key: "box-0", reason: "goodbye" });
    await clock.advance(0);
    expect(asked[0]?.signal.aborted).toBe(true);
  });
});

test("hundreds of silent nodes do not slow down the checks of one that answers", async () => {
  const nodes = 300;
  answer = ({ host }) =>
    host === "10.0.0.9"
      ? healthy
      : new Promise((resolve) => clock.schedule(4_000, () => resolve(silent("no-connection"))));
  for (let n = 1; n < nodes; n += 1) say(`box-${n}`, at(`10.0.${1 + (n >> 8)}.${n & 255}`));
  await appear("well", at("10.0.0.9"));
  await clock.advance(30_000);
  expect(stateOf("box-1")).toBe("silent");
  const times = asked.filter(({ host }) => host === "10.0.0.9").map(({ atMs }) => atMs);
  const from = times.length;
  await clock.advance(90_000);
  const later = asked.filter(({ host }) => host === "10.0.0.9").slice(from - 1);
  const gaps = later.slice(1).map(({ atMs }, index) => atMs - (later[index]?.atMs ?? 0));
  expect(gaps.length).toBeGreaterThan(9);
  expect(Math.max(...gaps)).toBeLessThanOrEqual(1.1 * intervalMs("usual", nodes));
  // Running checks come to their end.
  answer = () => healthy;
  await clock.advance(10_000);
});

describe("a host that a thousand nodes name", () => {
  /** Nodes with made-up ports of a host that listens at one port only. */
  const claim = (count: number): void => {
    answer = ({ port }) => (port === 8_000 ? healthy : silent("refused"));
    for (let n = 0; n < count; n += 1) say(`claim-${n}`, { ...at("10.0.0.9"), port: 9_000 + n }, "liar");
  };
  const asksOf = (host: string): readonly Asked[] => asked.filter((question) => question.host === host);

  test("is asked a handful of times in ten seconds, and once in ten from then on", async () => {
    claim(1_000);
    await clock.advance(10_000);
    expect(asksOf("10.0.0.9").length).toBeLessThanOrEqual(10);
    asked.length = 0;
    await clock.advance(600_000);
    expect(asksOf("10.0.0.9").length).toBeLessThanOrEqual(61);
  });

  test.each(["source", "routed"] as const)(
    "is asked no more often for one server of many names: %s",
    async (reach) => {
      for (let n = 0; n < 1_000; n += 1) {
        say(`claim-${n}`, { addresses: [{ address: "10.0.0.9", reach }] });
        await clock.advance(10);
      }
      expect(asksOf("10.0.0.9").length).toBeLessThanOrEqual(15);
    },
  );

  test("goes on to be checked where it answered before, and others as ever", async () => {
    await appear("box", at("10.0.0.9"));
    claim(1_000);
    await appear("other", at("10.0.0.8"));
    asked.length = 0;
    await clock.advance(300_000);
    const times = (of: string): number =>
      asked.filter(({ host, port }) => host === of && port === 8_000).length;
    expect([times("10.0.0.9"), times("10.0.0.8")]).toEqual([expect.any(Number), expect.any(Number)]);
    expect(Math.min(times("10.0.0.9"), times("10.0.0.8"))).toBeGreaterThanOrEqual(10);
  });

  test("has its signed newcomer checked next", async () => {
    claim(1_000);
    await clock.advance(60_000);
    await appear("signed", { ...at("10.0.0.9"), trust: "signed" });
    await clock.advance(10_000);
    expect(stateOf("signed")).toBe("healthy");
  });

  test("has every server of its own checked at once, however many there are", async () => {
    for (let n = 0; n < 100; n += 1) say(`box-${n}`, { port: 8_000 + n });
    await clock.advance(0);
    expect(asked).toHaveLength(100);
    await clock.advance(5_500);
    expect(asked).toHaveLength(200);
  });
});

describe("a node that does not answer", () => {
  test.each<Silence>(["refused", "no-route", "no-connection", "closed", "foreign"])(
    "is silent after two failures in a row, the second asked at once: %s",
    async (why) => {
      const outcomes: HealthOutcome[] = [silent(why)];
      answer = () => outcomes.shift() ?? healthy;
      await appear("box");
      expect([stateOf(), asked.length]).toEqual(["healthy", 2]);
      outcomes.push(silent(why), silent(why));
      await clock.advance(5_500);
      expect(listed()?.health).toMatchObject({
        state: "silent",
        reason: expect.any(String),
        latencyMs: null,
      });
    },
  );

  test("is asked each second, and is healthy with its first answer", async () => {
    answer = () => silent("no-connection");
    await appear("box");
    asked.length = 0;
    await clock.advance(10_000);
    expect(asked.length).toBeGreaterThanOrEqual(9);
    answer = () => healthy;
    await clock.advance(1_100);
    expect(stateOf()).toBe("healthy");
  });

  test.each([
    ["ollama", "silent"],
    ["llama.cpp", "silent"],
    ["lmserv", "busy"],
    [null, "busy"],
  ])("but accepts, is, as %s, %s", async (server, state) => {
    answer = () => silent("no-answer");
    await appear("box", { server });
    expect(stateOf()).toBe(state);
  });

  test("for want of room on this machine is as it was", async () => {
    await appear("box");
    answer = () => silent("unasked");
    await clock.advance(60_000);
    expect(stateOf()).toBe("healthy");
    expect(reconfirmed).toEqual([]);
  });
});

describe("the transports are asked", () => {
  test("once for each episode of silence", async () => {
    answer = () => silent("no-connection");
    await appear("box");
    await clock.advance(60_000);
    expect(reconfirmed).toEqual(["box"]);
    answer = () => healthy;
    await clock.advance(2_000);
    answer = () => silent("no-connection");
    await clock.advance(60_000);
    expect(reconfirmed).toEqual(["box", "box"]);
  });

  test("again when a server that does not answer cannot be reached any more, as when its host is cut off", async () => {
    answer = () => silent("no-answer");
    await appear("box", { server: "ollama" });
    await clock.advance(60_000);
    expect(reconfirmed).toEqual(["box"]);
    answer = () => silent("no-connection");
    await clock.advance(60_000);
    expect(reconfirmed).toEqual(["box", "box"]);
    answer = () => silent("no-answer");
    await clock.advance(60_000);
    expect(reconfirmed).toEqual(["box", "box"]);
  });

  test("at the first refusal of a server that answered before", async () => {
    await appear("box");
    const outcomes: HealthOutcome[] = [silent("refused")];
    answer = () => outcomes.shift() ?? healthy;
    await clock.advance(5_500);
    expect([reconfirmed, stateOf()]).toEqual([["box"], "healthy"]);
  });
});

describe("options", () => {
  test("have the checks come at a twentieth of the time", async () => {
    await discovery[Symbol.asyncDispose]();
    await open({ intervalMs: 250, silentIntervalMs: 50, listsIntervalMs: 1_500 }, () => 0.5);
    await appear("box");
    await clock.advance(1_500);
    expect(asked.map(({ atMs }) => atMs)).toEqual([0, 250, 500, 750, 1_000, 1_250, 1_500]);
    answer = () => silent("no-connection");
    await clock.advance(300);
    expect(stateOf()).toBe("silent");
    expect(asked.slice(-3).map(({ atMs }) => atMs)).toEqual([1_750, 1_750, 1_800]);
  });

  test("give each node its key and authorities, as they are known then", async () => {
    await discovery[Symbol.asyncDispose]();
    await open({
      keyOf: ({ port, sources }) => (sources[0]?.trust === "signed" ? `key of ${port}` : null),
      caOf: ({ port }) => `ca of ${port}`,
    });
    await appear("box");
    await appear("box", { trust: "signed" });
    await clock.advance(5_500);
    expect(asked.map(({ key }) => key)).toEqual([null, "key of 8000"]);
    expect(asked.map(({ ca }) => ca)).toEqual(["ca of 8000", "ca of 8000"]);
  });

  test("that cannot be are refused", () => {
    expect(() => httpHealth({ intervalMs: 0 })).toThrow(RangeError);
    expect(() => httpHealth({ keyOf: "secret" } as never)).toThrow(TypeError);
  });
});

describe("lists", () => {
  const lists = {
    models: [{ name: "llama3" }],
    loaded: ["llama3"],
    description: { server: "ollama", path: "/api/chat", apis: ["ollama"], auth: "none" },
    version: "0.12.3",
    isPathMissing: true,
  } as const;
  const listing = ({ lists: wanted }: HealthQuestion): HealthAnswer => ({
    ...healthy,
    lists: wanted ? lists : null,
  });

  test("are asked for at first, then each 30 s, and are kept meanwhile", async () => {
    answer = listing;
    await appear("box");
    await clock.advance(105_000);
    const times = asked.filter((question) => question.lists).map(({ atMs }) => atMs);
    expect(times).toHaveLength(4);
    expect(listed()?.health).toMatchObject({ models: lists.models, loaded: lists.loaded, version: "0.12.3" });
  });

  test("are asked for within 33 s, whatever chance makes of the interval of checks", async () => {
    answer = listing;
    await appear("box");
    await clock.advance(3_600_000);
    const times = asked.filter((question) => question.lists).map(({ atMs }) => atMs);
    const gaps = times.slice(1).map((atMs, index) => atMs - (times[index] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(27_500);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(33_000);
  });

  test("are asked for again when the state changes", async () => {
    answer = listing;
    await appear("box");
    answer = (question) => ({ ...listing(question), state: "busy" });
    await clock.advance(11_000);
    expect(asked.map((question) => question.lists)).toEqual([true, false, true]);
  });

  test("replace a path that leads nowhere, for as long as it does", async () => {
    answer = listing;
    await appear("box", { path: "/chat", server: "lmserv" });
    await clock.advance(90_000);
    expect(listed()).toMatchObject({
      path: "/api/chat",
      server: "ollama",
      url: "http://10.0.0.1:8000/api/chat",
    });
    expect(new Set(asked.map(({ path }) => path))).toEqual(new Set(["/chat"]));
    say("box", { path: "/new", server: "lmserv" });
    await clock.advance(6_000);
    expect(asked.at(-1)).toMatchObject({ path: "/new", lists: true });
  });
});

test("a node that moved is asked at its new place at once", async () => {
  await appear("box");
  await appear("box", { addresses: [{ address: "10.0.0.2", reach: "source" }] });
  expect(asked.map(({ host }) => host)).toEqual(["10.0.0.1", "10.0.0.2"]);
  await clock.advance(5_500);
  expect(asked.at(-1)?.host).toBe("10.0.0.2");
});
