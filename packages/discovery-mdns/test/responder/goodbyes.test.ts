import { Registry } from "@lmserv/discovery-core/transport";
import { VirtualClock } from "@lmserv/discovery-testkit";
import type { Answer, Packet } from "dns-packet";
import { beforeEach, describe, expect, test } from "vitest";
import { collect, openEndpoint, Segment } from "../segment.ts";

// A goodbye ends the record with its data, and no other (RFC 6762 section 10.1).

const type = "_lmserv._tcp.local";
const instance = `box.${type}`;
const peer = "10.0.0.2";
const ptr: Answer = { type: "PTR", name: type, ttl: 4_500, data: instance };
const txt: Answer = { type: "TXT", name: instance, ttl: 4_500, flush: true, data: ["info=gpu", "id=box"] };

let clock: VirtualClock;
let segment: Segment;
let seen: ReturnType<typeof collect>["seen"];

beforeEach(async () => {
  clock = new VirtualClock();
  segment = new Segment(clock);
  const { session } = await openEndpoint(segment.machine("10.0.0.1"), clock);
  ({ seen } = collect(session, clock));
  await clock.advance(0);
});

interface Said {
  readonly ttl?: number;
  readonly flush?: boolean;
  readonly target?: string;
}

function srv(port: number, { ttl = 120, flush = true, target = "box.local" }: Said = {}): Answer {
  return { type: "SRV", name: instance, ttl, flush, data: { port, target } };
}

function a(data: string, { ttl = 120, flush = true, target = "box.local" }: Said = {}): Answer {
  return { type: "A", name: target, ttl, flush, data };
}

async function say(...answers: Answer[]): Promise<void> {
  const packet: Packet = { type: "response", flags: 0x400, answers };
  segment.inject(packet, peer);
  await clock.advance(1);
}

/** Changes that users saw so far. */
function told(): string[] {
  const registry = new Registry();
  return seen.flatMap((observation, ms) =>
    registry.apply(observation, ms).map(({ kind, node }) => `${kind} ${node.host}:${node.port}`),
  );
}

function asked(name: string): string[] {
  return segment.heard.flatMap(({ packet }) =>
    packet.type === "query"
      ? (packet.questions ?? []).flatMap((question) => (question.name === name ? [question.type] : []))
      : [],
  );
}

describe("an SRV record that is taken back", () => {
  test("after another took its place is not the node's end", async () => {
    await say(ptr, srv(8_000), txt, a(peer));
    await clock.advance(5_000);
    await say(srv(8_001), srv(8_000, { ttl: 0 }));
    await clock.advance(5_000);
    expect(told()).toEqual([`up ${peer}:8000`, `updated ${peer}:8001`]);
  });

  test("before another takes its place, in one packet, is not either", async () => {
    await say(ptr, srv(8_000), txt, a(peer));
    await clock.advance(5_000);
    await say(srv(8_000, { ttl: 0 }), srv(8_001));
    await clock.advance(5_000);
    expect(told()).toEqual([`up ${peer}:8000`, `updated ${peer}:8001`]);
  });

  test("leaves the one that stood beside it", async () => {
    await say(ptr, srv(8_000), txt, a(peer));
    await clock.advance(5_000);
    await say(srv(8_001, { flush: false }));
    await say(srv(8_001, { ttl: 0, flush: false }));
    await clock.advance(5_000);
    expect(told()).toEqual([`up ${peer}:8000`, `updated ${peer}:8001`, `updated ${peer}:8000`]);
  });

  test("leaves none that was flushed before", async () => {
    await say(ptr, srv(8_000), txt, a(peer));
    await clock.advance(5_000);
    await say(srv(8_001));
    await say(srv(8_001, { ttl: 0 }));
    await clock.advance(900);
    expect(told()).toEqual([`up ${peer}:8000`, `updated ${peer}:8001`]);
    await clock.advance(200);
    expect(told().at(-1)).toBe(`down ${peer}:8001`);
  });

  test("leaves none whose time is over", async () => {
    await say(ptr, srv(8_000, { ttl: 10 }), txt, a(peer));
    await say(srv(8_001, { flush: false }));
    await clock.advance(11_000);
    await say(srv(8_001, { ttl: 0, flush: false }));
    await clock.advance(1_100);
    expect(told().at(-1)).toBe(`down ${peer}:8001`);
  });

  test.each([
    ["port", srv(8_001, { ttl: 0 })],
    ["target", srv(8_000, { ttl: 0, target: "other.local" })],
    [
      "priority",
      { ...srv(8_000), ttl: 0, data: { port: 8_000, target: "box.local", priority: 7 } } as Answer,
    ],
  ])("with another %s than the node's is nothing", async (_, goodbye) => {
    await say(ptr, srv(8_000), txt, a(peer));
    await say(goodbye);
    await clock.advance(5_000);
    expect(told()).toEqual([`up ${peer}:8000`]);
  });

  test("with a target in other letters is the node's", async () => {
    await say(ptr, srv(8_000), txt, a(peer));
    await say(srv(8_000, { ttl: 0, target: "BOX.local" }));
    await clock.advance(1_100);
    expect(told()).toEqual([`up ${peer}:8000`, `down ${peer}:8000`]);
  });

  test("introduces nobody", async () => {
    await say(srv(8_000, { ttl: 0 }));
    await clock.advance(100);
    expect(asked(instance)).toEqual([]);
  });

  test("of many keeps few of them", async () => {
    await say(ptr, srv(8_000), txt, a(peer));
    for (let port = 9_000; port < 9_100; port += 1) await say(srv(port, { flush: false }));
    for (let port = 9_099; port >= 9_000; port -= 1) await say(srv(port, { ttl: 0, flush: false }));
    await clock.advance(1_100);
    expect(told().at(-1)).toBe(`down ${peer}:9096`);
  });
});

describe("a pointer that is taken back", () => {
  const otherPtr: Answer = { ...ptr, ttl: 0, data: `other.${type}` };

  test("to another instance is nothing", async () => {
    await say(ptr, srv(8_000), txt, a(peer));
    await say(otherPtr);
    await clock.advance(5_000);
    expect(told()).toEqual([`up ${peer}:8000`]);
  });
});

describe("an address that is taken back", () => {
  test("ends, and the other one stays", async () => {
    await say(ptr, srv(8_000), txt, a("10.0.0.2"), a("10.0.0.3"));
    await say(a("10.0.0.2", { ttl: 0 }));
    await clock.advance(1_100);
    expect(seen.at(-1)).toMatchObject({ node: { addresses: [{ address: "10.0.0.3" }] } });
  });

  test("and was never the host's does not become so", async () => {
    await say(ptr, srv(8_000), txt, a("10.0.0.2"));
    await say(a("10.0.0.9", { ttl: 0 }));
    await clock.advance(10);
    const addresses = seen.flatMap((one) => (one.kind === "alive" ? [one.node.addresses] : []));
    expect(new Set(addresses.flat().map(({ address }) => address))).toEqual(new Set(["10.0.0.2"]));
  });

  test("does not live longer by being taken back again", async () => {
    await say(ptr, srv(8_000), txt, a("10.0.0.2"), a("10.0.0.3"));
    for (let goodbyes = 0; goodbyes < 4; goodbyes += 1) {
      await say(a("10.0.0.2", { ttl: 0 }));
      await clock.advance(300);
    }
    expect(seen.findLast(({ kind }) => kind === "alive")).toMatchObject({
      node: { addresses: [{ address: "10.0.0.3" }] },
    });
  });
});

describe("a text that is taken back", () => {
  test("is asked for with the next question", async () => {
    await say(ptr, srv(8_000), txt, a(peer));
    await say({ ...txt, ttl: 0 });
    await clock.advance(60_000);
    expect(asked(instance)).toContain("TXT");
    expect(told()).toEqual([`up ${peer}:8000`]);
  });

  test("after another took its place is nothing", async () => {
    await say(ptr, srv(8_000), txt, a(peer));
    await say({ ...txt, data: ["info=other", "id=box"] }, { ...txt, ttl: 0 });
    await clock.advance(10);
    expect(seen.at(-1)).toMatchObject({ node: { info: "other" } });
  });
});
