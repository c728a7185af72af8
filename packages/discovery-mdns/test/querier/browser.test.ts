import { seededRandom, VirtualClock } from "@lmserv/discovery-testkit";
import type { Answer, Packet, Question } from "dns-packet";
import { beforeEach, describe, expect, test } from "vitest";
import { collect, joined, openEndpoint, Segment } from "../segment.ts";

const type = "_lmserv._tcp.local";
const asker = "10.0.0.1";
const peer = "10.0.0.2";

let clock: VirtualClock;
let segment: Segment;

beforeEach(() => {
  clock = new VirtualClock();
  segment = new Segment(clock);
});

interface Shape {
  readonly instance?: string;
  readonly target?: string;
  readonly address?: string;
  readonly txt?: string[];
  readonly ttl?: number;
  readonly port?: number;
}

/** A responder's records of one service. */
function records({
  instance = `box.${type}`,
  target = "box.local",
  address = peer,
  txt = ["info=gpu-box-02"],
  ttl = 120,
  port = 8000,
}: Shape = {}): { ptr: Answer; srv: Answer; txt: Answer; a: Answer } {
  return {
    ptr: { type: "PTR", name: type, ttl: ttl && 4500, data: instance },
    srv: { type: "SRV", name: instance, ttl, flush: true, data: { port, target } },
    txt: { type: "TXT", name: instance, ttl: ttl && 4500, flush: true, data: txt },
    a: { type: "A", name: target, ttl, flush: true, data: address },
  };
}

function say(shape: Shape = {}, from = peer): void {
  const { ptr, srv, txt, a } = records(shape);
  segment.inject(response([ptr], [srv, txt, a]), from);
}

function response(answers: Answer[], additionals: Answer[] = []): Packet {
  return { type: "response", flags: 0x400, answers, additionals };
}

/** Answers every question for the service, as a live host does. */
function keepAnswering(shape: Shape = {}): { lastMs: number } {
  const state = { lastMs: Number.POSITIVE_INFINITY };
  const { srv, txt, a } = records(shape);
  segment.loses = ({ packet, atMs }) => {
    const asked = packet.type === "query" && packet.questions?.some(({ type }) => type === "SRV");
    if (asked && atMs < state.lastMs)
      clock.schedule(1, () => segment.inject(response([srv], [txt, a]), peer));
    return false;
  };
  return state;
}

const questions = (): { atMs: number; asked: Question[]; known: number }[] =>
  segment.heard
    .filter(({ packet, from }) => packet.type === "query" && from.address === asker)
    .map(({ atMs, packet }) => ({
      atMs,
      asked: packet.questions ?? [],
      known: packet.answers?.length ?? 0,
    }));

const timesOf = (wanted: string): number[] =>
  questions()
    .filter(({ asked }) => asked.some(({ type }) => type === wanted))
    .map(({ atMs }) => atMs);

describe("asking", () => {
  test("a caller's first question leaves at once, then intervals double", async () => {
    const { session } = await openEndpoint(segment.machine(asker), clock);
    expect(segment.heard).toHaveLength(0);
    collect(session, clock);
    await clock.advance(20_000);
    expect(timesOf("PTR")).toEqual([0, 1_000, 3_000, 7_000, 15_000]);
  });

  test("what is known is not asked for again", async () => {
    const { session } = await openEndpoint(segment.machine(asker), clock);
    collect(session, clock);
    await clock.advance(10);
    say();
    await clock.advance(1_500);
    const [first, second] = questions().filter(({ asked }) => asked.some(({ type }) => type === "PTR"));
    expect([first?.known, second?.known]).toEqual([0, 1]);
  });

  test("what a response lacks is asked for at once, and given up after five questions", async () => {
    const { session } = await openEndpoint(segment.machine(asker), clock);
    const { seen } = collect(session, clock);
    segment.inject(response([records().ptr]), peer);
    await clock.advance(60_000);
    expect(timesOf("SRV").map(Math.round)).toEqual([0, 1_000, 3_000, 7_000, 15_000]);
    expect(seen.filter(({ kind }) => kind === "alive")).toEqual([]);
  });

  test("a service whose records come one by one is reported when SRV and TXT are there", async () => {
    const { session } = await openEndpoint(segment.machine(asker), clock);
    const { seen } = collect(session, clock);
    const { ptr, srv, txt, a } = records();
    for (const record of [ptr, srv, txt, a]) {
      segment.inject(response([record]), peer);
      await clock.advance(5);
    }
    expect(seen.at(-1)).toMatchObject({
      kind: "alive",
      via: "mdns",
      key: `box.${type}@eth0`,
      ttlMs: expect.any(Number),
      node: { id: null, info: "gpu-box-02", port: 8000, addresses: [{ address: peer, reach: "source" }] },
    });
  });

  test("a second caller makes the question go out again", async () => {
    const { session } = await openEndpoint(segment.machine(asker), clock);
    collect(session, clock);
    await clock.advance(10_000);
    collect(session, clock);
    await clock.advance(1);
    expect(timesOf("PTR")).toEqual([0, 1_000, 3_000, 7_000, 10_000]);
  });
});

describe("signs of life", () => {
  test("a node is asked for its SRV record from three quarters of its time on, and reported again", async () => {
    const { session } = await openEndpoint(segment.machine(asker), clock);
    const { seen } = collect(session, clock);
    say();
    keepAnswering();
    await clock.advance(300_000);
    const alive = seen.filter(({ kind }) => kind === "alive");
    const gaps = alive.slice(1).map(({ atMs }, index) => atMs - (alive[index]?.atMs ?? 0));
    expect(Math.max(...gaps)).toBeLessThan(60_000);
    expect(timesOf("SRV")[0]).toBeGreaterThanOrEqual(45_000);
    expect(timesOf("SRV").length).toBeLessThanOrEqual(7);
  });

  test("eight questions are asked before a silent node is given up", async () => {
    const { session } = await openEndpoint(segment.machine(asker), clock);
    const { seen } = collect(session, clock);
    say();
    await clock.advance(120_000);
    const asked = timesOf("SRV");
    const gaps = asked.slice(1).map((atMs, index) => atMs - (asked[index] ?? 0));
    expect(asked).toHaveLength(8);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(1_000);
    expect(asked.at(-1)).toBeLessThan(60_000);
    expect(seen.filter(({ kind }) => kind === "alive").every(({ atMs }) => atMs < 1_000)).toBe(true);
  });

  test("a fifth of all packets lost takes no node down in ten minutes", async () => {
    const { session } = await openEndpoint(segment.machine(asker), clock);
    const { seen } = collect(session, clock);
    say();
    keepAnswering();
    const answering = segment.loses;
    let turn = 0;
    segment.loses = (heard) => {
      turn += 1;
      const lost = turn % 5 === 0;
      return lost || answering(heard);
    };
    await clock.advance(600_000);
    const alive = seen.filter(({ kind }) => kind === "alive");
    const gaps = alive.slice(1).map(({ atMs }, index) => atMs - (alive[index]?.atMs ?? 0));
    expect(Math.max(...gaps, 600_000 - (alive.at(-1)?.atMs ?? 0))).toBeLessThan(60_000);
  });

  test("a short lifetime on the wire counts, not ours", async () => {
    const { session } = await openEndpoint(segment.machine(asker), clock);
    const { seen } = collect(session, clock);
    say({ ttl: 10 });
    await clock.advance(5);
    expect(seen.at(-1)).toMatchObject({ kind: "alive", ttlMs: 10_000 });
  });

  test("a doubted node that does not answer is gone within 10 s, one that answers stays", async () => {
    const { session } = await openEndpoint(segment.machine(asker), clock);
    const { seen } = collect(session, clock);
    say();
    await clock.advance(5_000);
    await session.reconfirm?.(`box.${type}@eth0`, new AbortController());
    await clock.advance(10_000);
    expect(seen.at(-1)).toMatchObject({ kind: "gone", reason: "unreachable" });
    expect(seen.at(-1)?.atMs).toBeLessThanOrEqual(15_000);

    say();
    keepAnswering();
    await session.reconfirm?.(`box.${type}@eth0`, new AbortController());
    await clock.advance(15_000);
    expect(seen.at(-1)).toMatchObject({ kind: "alive" });
  });
});

describe("goodbyes", () => {
  test("count after one second", async () => {
    const { session } = await openEndpoint(segment.machine(asker), clock);
    const { seen } = collect(session, clock);
    say();
    await clock.advance(5_000);
    say({ ttl: 0 });
    await clock.advance(990);
    expect(seen.at(-1)?.kind).not.toBe("gone");
    await clock.advance(20);
    expect(seen.at(-1)).toMatchObject({ kind: "gone", reason: "goodbye", key: `box.${type}@eth0` });
  });

  test("are taken back by a new announcement within that second", async () => {
    const { session } = await openEndpoint(segment.machine(asker), clock);
    const { seen } = collect(session, clock);
    say();
    await clock.advance(5_000);
    say({ ttl: 0 });
    await clock.advance(500);
    say();
    await clock.advance(5_000);
    expect(seen.filter(({ kind }) => kind === "gone")).toEqual([]);
  });

  test("of what nobody knows are nothing", async () => {
    const { session } = await openEndpoint(segment.machine(asker), clock);
    const { seen } = collect(session, clock);
    say({ ttl: 0 });
    await clock.advance(1_000);
    expect(seen).toEqual([]);
  });
});

describe("the Python original", () => {
  const original: Shape = {
    instance: `gpu-box-02.${type}`,
    target: `gpu-box-02.${type}`,
    txt: ["info=gpu-box-02"],
  };

  test("may point SRV at the instance itself", async () => {
    const { session } = await openEndpoint(segment.machine(asker), clock);
    const { seen } = collect(session, clock);
    say(original);
    await clock.advance(5);
    expect(seen[0]).toMatchObject({
      node: { id: null, info: "gpu-box-02", path: "/chat", addresses: [{ address: peer, reach: "source" }] },
    });
  });

  test("may announce its loopback address: the packet's source stands in", async () => {
    const { session } = await openEndpoint(segment.machine(asker), clock);
    const { seen } = collect(session, clock);
    say({ ...original, address: "127.0.0.1" });
    await clock.advance(5);
    expect(seen[0]).toMatchObject({ node: { addresses: [{ address: peer, reach: "on-link" }] } });
  });

  test("may announce a bridge's address: the packet's source goes first", async () => {
    const { session } = await openEndpoint(segment.machine(asker), clock);
    const { seen } = collect(session, clock);
    say({ ...original, address: "172.17.0.1" });
    await clock.advance(5);
    expect(seen[0]).toMatchObject({
      node: {
        addresses: [
          { address: peer, reach: "on-link" },
          { address: "172.17.0.1", reach: "doubtful" },
        ],
      },
    });
  });
});

describe("what does not count", () => {
  test.each([
    ["a response from another port", () => say({}), 5354],
    ["an error response", () => segment.inject({ ...response([records().ptr]), flags: 0x403 }, peer), 5353],
  ])("%s", async (_, act, port) => {
    const { session } = await openEndpoint(segment.machine(asker), clock);
    const { seen } = collect(session, clock);
    if (port === 5353) act();
    else segment.inject(response(Object.values(records())), peer, port);
    await clock.advance(1_000);
    expect(seen).toEqual([]);
  });

  test("other service types, a port of 0, names that are no instance", async () => {
    const { session } = await openEndpoint(segment.machine(asker), clock);
    const { seen } = collect(session, clock);
    say({ instance: "printer._ipp._tcp.local" });
    say({ port: 0 });
    say({ instance: type });
    await clock.advance(1_000);
    expect(seen).toEqual([]);
  });

  test("rubbish", async () => {
    const { session } = await openEndpoint(segment.machine(asker), clock);
    const { seen } = collect(session, clock);
    for (let length = 0; length < 64; length += 1) segment.inject(new Uint8Array(length).fill(0xc0), peer);
    say();
    await clock.advance(5);
    expect(seen).toHaveLength(1);
  });
});

describe("silence has a reason", () => {
  test("nothing heard at all", async () => {
    const { session, reports } = await openEndpoint(segment.machine(asker), clock);
    const { seen } = collect(session, clock);
    await clock.advance(2_000);
    expect(seen).toEqual([{ kind: "settled", via: "mdns", atMs: 1_200 }]);
    expect(reports).toEqual([
      {
        code: "NO_ANSWER",
        message: expect.stringMatching(/nothing answered on eth0 \(10\.0\.0\.1\).*blocked/),
      },
    ]);
  });

  test("others heard, but no node", async () => {
    const { session, reports } = await openEndpoint(segment.machine(asker), clock);
    collect(session, clock);
    say({ instance: "printer._ipp._tcp.local" });
    await clock.advance(2_000);
    expect(reports).toEqual([{ code: "NO_ANSWER", message: expect.stringContaining("none announces") }]);
  });

  test("no network but loopback", async () => {
    const { session, reports } = await openEndpoint(segment.machine("127.0.0.1", { name: "lo" }), clock);
    collect(session, clock);
    await clock.advance(2_000);
    expect(reports).toEqual([
      {
        code: "NO_INTERFACE",
        message:
          "this machine has no network interface but lo (127.0.0.1), where no node is announced: connect it to a network, or name that interface to look on this machine alone",
      },
    ]);
  });

  test("no network but loopback, as it was asked for", async () => {
    const machine = segment.machine("127.0.0.1", { name: "lo" });
    const { session, reports } = await openEndpoint(machine, clock, seededRandom(1), { interfaces: ["lo"] });
    collect(session, clock);
    await clock.advance(2_000);
    expect(reports).toMatchObject([{ code: "NO_ANSWER" }]);
  });

  test("no network but loopback, and a node there: none", async () => {
    const { session, reports } = await openEndpoint(segment.machine("127.0.0.1", { name: "lo" }), clock);
    const { seen } = collect(session, clock);
    say({ address: "127.0.0.2" }, "127.0.0.2");
    await clock.advance(2_000);
    expect(seen.map(({ kind }) => kind)).toEqual(["alive", "settled"]);
    expect(reports).toEqual([]);
  });

  test("a node heard: none", async () => {
    const { session, reports } = await openEndpoint(segment.machine(asker), clock);
    collect(session, clock);
    say();
    await clock.advance(2_000);
    expect(reports).toEqual([]);
  });
});

describe("interfaces", () => {
  test("one that goes takes its nodes along, one that comes is asked on", async () => {
    const machine = segment.machine(asker);
    const present = machine.interfaces;
    const other = new Segment(clock).machine("10.0.1.1", { name: "eth1" });
    const { session } = await openEndpoint(joined(machine, other), clock);
    const { seen } = collect(session, clock);
    say();
    await clock.advance(5_000);
    machine.interfaces = () => ({});
    await clock.advance(5_000);
    expect(seen.at(-1)).toMatchObject({ kind: "gone", reason: "unreachable" });
    const before = timesOf("PTR").length;
    machine.interfaces = present;
    await clock.advance(5_000);
    expect(timesOf("PTR").length).toBeGreaterThan(before);
    say();
    await clock.advance(5);
    expect(seen.at(-1)).toMatchObject({ kind: "alive" });
  });

  test("none at all cannot be opened, and the message lists what there is", async () => {
    const machine = { ...segment.machine(asker), interfaces: () => ({}) };
    await expect(openEndpoint(machine, clock)).rejects.toMatchObject({
      code: "TRANSPORT_UNAVAILABLE",
      cause: { code: "NO_INTERFACE", message: expect.stringContaining("up: none") },
    });
  });

  test("a port that is taken cannot be opened either", async () => {
    const refused = Object.assign(new Error("bind EADDRINUSE"), { code: "EADDRINUSE", syscall: "bind" });
    const machine = { ...segment.machine(asker), openLink: () => Promise.reject(refused) };
    await expect(openEndpoint(machine, clock)).rejects.toMatchObject({
      code: "TRANSPORT_UNAVAILABLE",
      message: expect.stringContaining("5353"),
      cause: { code: "ADDRESS_IN_USE", cause: refused },
    });
  });
});

test("ten hosts that know one node ask for it about as often as one", async () => {
  const hosts = await Promise.all(
    Array.from({ length: 10 }, (_, index) =>
      openEndpoint(segment.machine(`10.0.0.${10 + index}`), clock, seededRandom(index)),
    ),
  );
  for (const { session } of hosts) collect(session, clock);
  say();
  keepAnswering();
  await clock.advance(300_000);
  const asked = segment.heard.filter(
    ({ packet }) => packet.type === "query" && packet.questions?.some((question) => question.type === "SRV"),
  );
  expect(asked.length).toBeLessThanOrEqual(14);
});
