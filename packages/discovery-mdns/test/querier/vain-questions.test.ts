import type { TransportSession } from "@lmserv/discovery-core/transport";
import { VirtualClock } from "@lmserv/discovery-testkit";
import type { Answer, Question } from "dns-packet";
import { beforeEach, describe, expect, test } from "vitest";
import { collect, type Heard, openEndpoint, Segment } from "../segment.ts";

// A host announces many nodes that do not exist.

const type = "_lmserv._tcp.local";
const own = "10.0.0.1";
const flooder = "10.0.0.66";

let clock: VirtualClock;
let segment: Segment;
let session: TransportSession;
let seen: ReturnType<typeof collect>["seen"];

beforeEach(async () => {
  clock = new VirtualClock();
  segment = new Segment(clock);
  ({ session } = await openEndpoint(segment.machine(own, { ipv6: "fe80::1" }), clock));
  ({ seen } = collect(session, clock, 60_000));
  await clock.advance(0);
});

function pointer(label: string): Answer {
  return { type: "PTR", name: type, ttl: 4_500, data: `${label}.${type}` };
}

function location(label: string): Answer {
  const data = { port: 8_000, target: `${label}.local` };
  return { type: "SRV", name: `${label}.${type}`, ttl: 120, flush: true, data };
}

function rest(label: string, address: string): Answer[] {
  return [
    {
      type: "TXT",
      name: `${label}.${type}`,
      ttl: 4_500,
      flush: true,
      data: [`info=${label}`, `id=${label}`],
    },
    { type: "A", name: `${label}.local`, ttl: 120, flush: true, data: address },
  ];
}

function say(answers: Answer[], from: string): void {
  segment.inject({ type: "response", flags: 0x400, answers }, from);
}

/** Sends twenty full packets of names, with these records for each. */
function flood(record: (label: string) => Answer[], from: (packet: number) => string = () => flooder): void {
  const perPacket = record("").length === 1 ? 70 : 20;
  for (let packet = 0; packet < 20; packet += 1) {
    const labels = Array.from({ length: perPacket }, (_, index) => `ghost-${packet}-${index}`);
    say(labels.flatMap(record), from(packet));
  }
}

function sent(): Heard[] {
  return segment.heard.filter(({ from, packet }) => {
    const isOurs = from.address === own || from.address === "fe80::1%eth0";
    return isOurs && packet.type === "query";
  });
}

function questions(): Question[] {
  return sent().flatMap(({ packet }) => packet.questions ?? []);
}

function bytes(): number {
  return sent().reduce((sum, heard) => sum + heard.bytes.length, 0);
}

/** Answers questions about a node, as a host that sends nothing unasked. */
function answerFor(label: string, address: string): void {
  const before = segment.loses;
  segment.loses = (heard) => {
    const { packet, from } = heard;
    const isAsked = packet.questions?.some(({ name }) => name === `${label}.${type}`);
    if (packet.type === "query" && from.address === own && isAsked) {
      clock.schedule(1, () => say([location(label), ...rest(label, address)], address));
    }
    return before(heard);
  };
}

function listed(): Set<string> {
  return new Set(seen.flatMap((one) => (one.kind === "alive" ? [one.node.info] : [])));
}

describe("pointers to nodes that are not there", () => {
  test.each([
    ["one address", () => flooder, 128],
    ["an address each", (packet: number) => `10.0.0.${packet + 100}`, 512],
  ])("from %s cost few questions", async (_, from, atOnce) => {
    flood((label) => [pointer(label)], from);
    await clock.advance(60_000);
    const about = questions().filter(({ name }) => name !== type);
    // Over two families each, and the refill of one minute.
    expect(about.length).toBeLessThanOrEqual(2 * (atOnce + 120));
    expect(about.length).toBeGreaterThan(0);
    expect(bytes()).toBeLessThan(60_000);
  });

  test("are no known answers of ours, nor a reason to ask for the list sooner", async () => {
    flood((label) => [pointer(label)]);
    await clock.advance(100_000);
    expect(sent().flatMap(({ packet }) => packet.answers ?? [])).toEqual([]);
    const asked = sent().filter(({ packet }) => packet.questions?.some(({ name }) => name === type));
    expect([...new Set(asked.map(({ atMs }) => Math.round(atMs / 1_000)))]).toEqual([0, 1, 3, 7, 15, 31, 63]);
  });

  test("again and again cost two questions a second", async () => {
    for (let minute = 0; minute < 10; minute += 1) {
      flood(
        (label) => [pointer(`${minute}-${label}`)],
        (packet) => `10.0.${minute}.${packet + 100}`,
      );
      await clock.advance(60_000);
    }
    const about = questions().filter(({ name }) => name !== type);
    expect(about.length).toBeLessThanOrEqual(2 * (512 + 1_200));
  });

  test("do not hide a node that says where it is", async () => {
    flood(
      (label) => [pointer(label)],
      (packet) => `10.0.0.${packet + 100}`,
    );
    await clock.advance(2_000);
    say([pointer("real"), location("real"), ...rest("real", "10.0.0.2")], "10.0.0.2");
    await clock.advance(10);
    expect(listed()).toEqual(new Set(["real"]));
  });

  test("from one address do not hide a node that is only pointed to", async () => {
    flood((label) => [pointer(label)]);
    await clock.advance(2_000);
    answerFor("real", "10.0.0.2");
    say([pointer("real")], "10.0.0.2");
    await clock.advance(1_000);
    expect(listed()).toEqual(new Set(["real"]));
  });
});

describe("nodes that are not there, whole", () => {
  const whole = (label: string): Answer[] => [pointer(label), location(label), ...rest(label, "10.0.0.77")];

  test("are asked for once, and not eight times", async () => {
    flood(whole, (packet) => `10.0.0.${packet + 100}`);
    await clock.advance(100_000);
    const names = questions().flatMap((question) => (question.type === "SRV" ? [question.name] : []));
    expect(new Set(names).size).toBe(400);
    expect(names.length).toBeLessThanOrEqual(2 * 400 + 2 * (512 + 200));
  });

  test.each([
    ["is", false],
    ["is doubted", true],
  ])("do not take a node away that %s new, and answers", async (_, isDoubted) => {
    flood(
      (label) => [pointer(label)],
      (packet) => `10.0.0.${packet + 100}`,
    );
    flood(whole, (packet) => `10.0.1.${packet + 100}`);
    await clock.advance(1_000);
    answerFor("real", "10.0.0.2");
    say(whole("real"), "10.0.0.2");
    await clock.advance(5_000);
    if (isDoubted) await session.reconfirm?.(`real.${type}@eth0`, new AbortController());
    await clock.advance(300_000);
    const real = seen.filter((one) => "key" in one && one.key === `real.${type}@eth0`);
    expect(real.filter(({ kind }) => kind === "gone")).toEqual([]);
    const gaps = real.slice(1).map(({ atMs }, index) => atMs - (real[index]?.atMs ?? 0));
    expect(Math.max(...gaps)).toBeLessThan(60_000);
  });
});

describe("nodes that are there", () => {
  test("and are only pointed to, three hundred at a time, are all resolved", async () => {
    const labels = Array.from({ length: 300 }, (_, index) => `real-${index}`);
    for (const [index, label] of labels.entries()) {
      const address = `10.0.${1 + (index >> 7)}.${1 + (index & 127)}`;
      answerFor(label, address);
      say([pointer(label)], address);
    }
    await clock.advance(16_000);
    expect(listed()).toEqual(new Set(labels));
  });

  test("and are told of by one reflector are all resolved", async () => {
    const labels = Array.from({ length: 200 }, (_, index) => `real-${index}`);
    for (const label of labels) answerFor(label, "10.0.0.254");
    for (let first = 0; first < labels.length; first += 50) {
      say(labels.slice(first, first + 50).map(pointer), "10.0.0.254");
    }
    await clock.advance(16_000);
    expect(listed()).toEqual(new Set(labels));
  });
});

describe("two thousand nodes", () => {
  test("are named in a question for the list as far as a score of packets goes", async () => {
    for (let number = 0; number < 2_000; number += 1) {
      const address = `10.0.${1 + (number >> 7)}.${1 + (number & 127)}`;
      say([pointer(`n${number}`), location(`n${number}`), ...rest(`n${number}`, address)], address);
    }
    await clock.advance(1_000);
    const lists = sent().filter(({ packet }) => packet.answers?.length);
    expect(lists.length).toBeGreaterThan(0);
    expect(lists.length).toBeLessThanOrEqual(2 * 20);
    expect(lists[0]?.packet.answers?.[0]).toMatchObject({ data: `n0.${type}` });
  });
});

describe("a text of which its owner knows nothing", () => {
  test("stands no longer than until the next sign of life is asked for", async () => {
    answerFor("real", "10.0.0.2");
    say([pointer("real"), location("real"), ...rest("real", "10.0.0.2")], "10.0.0.2");
    await clock.advance(1_000);
    const data = ["info=evil", "id=real"];
    const answers: Answer[] = [{ type: "TXT", name: `real.${type}`, ttl: 86_400, flush: true, data }];
    // Sent to this host alone: no other host hears it.
    const to = { address: own, port: 5_353 };
    segment.inject({ type: "response", flags: 0x400, answers }, "10.0.0.2", 5_353, to);
    await clock.advance(1_000);
    expect(listed()).toEqual(new Set(["real", "evil"]));
    await clock.advance(60_000);
    expect(seen.filter(({ kind }) => kind === "alive").at(-1)).toMatchObject({ node: { info: "real" } });
  });
});
