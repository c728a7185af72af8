import { VirtualClock } from "@lmserv/discovery-testkit";
import dnsPacket, { type Answer, type Packet } from "dns-packet";
import { beforeEach, describe, expect, test } from "vitest";
import { anyOf, type Heard, type OpenEndpoint, openEndpoint, Segment } from "../segment.ts";

const type = "_lmserv._tcp.local";
const own = "10.0.0.1";
const peer = "10.0.0.2";
const instance = `studio.${type}`;
const node = { id: "box", info: "", port: 8000, name: "studio" };
const never = new AbortController();

let clock: VirtualClock;
let segment: Segment;
let endpoint: OpenEndpoint;

beforeEach(async () => {
  clock = new VirtualClock();
  segment = new Segment(clock);
  endpoint = await openEndpoint(segment.machine(own), clock);
});

function announce(): Promise<AsyncDisposable | undefined> {
  return endpoint.session.announce?.(node, never) ?? Promise.reject(new Error("cannot announce"));
}

const sentBy = (address: string): Heard[] => segment.heard.filter(({ from }) => from.address === address);
const probes = (address = own): Heard[] => sentBy(address).filter(({ packet }) => packet.type === "query");
const announcements = (address = own): Heard[] =>
  sentBy(address).filter(({ packet }) => packet.type === "response");

/** Instance names that a host announces, in order, each once. */
function announcedNames(address = own): string[] {
  const records = announcements(address).flatMap(({ packet }) => packet.answers ?? []);
  return [...new Set(records.filter((record) => record.type === "SRV").map(({ name }) => name))];
}

function location(port: number, name = instance): Answer {
  return { type: "SRV", name, ttl: 120, flush: true, data: { port, target: "other.local" } };
}

/** A host answers every question for the name. */
function defend(name = instance, port = 9_999): void {
  segment.listen((packet: Packet) => {
    const isAsked = packet.type === "query" && packet.questions?.some((question) => question.name === name);
    if (isAsked) segment.inject({ type: "response", flags: 0x400, answers: [location(port, name)] }, peer);
  });
}

/** Probe of another host for the name; a longer text comes later in the order of data. */
function probe(text: string): void {
  const authorities: Answer[] = [location(8000), { type: "TXT", name: instance, ttl: 4500, data: [text] }];
  const questions = [anyOf(instance)];
  segment.inject(dnsPacket.encode({ type: "query", questions, authorities }), peer);
}

describe("a chosen name", () => {
  test("is probed three times, 250 ms apart, and announced within a second", async () => {
    const announced = announce();
    await clock.advance(1_000);
    await announced;
    const [first = 0, second = 0, third = 0] = probes().map(({ atMs }) => atMs);
    expect(first).toBeLessThan(250);
    expect([second - first, third - second]).toEqual([250, 250]);
    expect(announcements()[0]?.atMs).toBe(third + 250);
    expect(probes()).toHaveLength(3);
  });

  test("is asked for with all records at stake, none of them with the cache-flush bit", async () => {
    void announce();
    await clock.advance(300);
    expect(probes()[0]?.packet).toMatchObject({
      flags: 0,
      questions: [{ name: instance, type: "ANY" }],
      answers: [],
      authorities: [
        { type: "SRV", name: instance, flush: false, data: { port: 8000 } },
        { type: "TXT", name: instance, flush: false },
      ],
    });
  });

  test("that is taken becomes the next one, and is told", async () => {
    defend();
    const announced = announce();
    await clock.advance(5_000);
    await announced;
    expect(announcedNames()).toEqual([`studio (2).${type}`]);
    expect(endpoint.reports).toEqual([
      { code: "NAME_CONFLICT", message: expect.stringContaining('announced as "studio (2)"') },
    ]);
  });

  test("of which several are taken becomes the first free one", async () => {
    for (const name of ["studio", "studio (2)", "studio (3)"]) defend(`${name}.${type}`);
    const announced = announce();
    await clock.advance(10_000);
    await announced;
    expect(announcedNames()).toEqual([`studio (4).${type}`]);
  });

  test("that two hosts claim at once goes to one of them, and the other takes the next", async () => {
    const rival = await openEndpoint(segment.machine(peer), clock);
    const announced = [announce(), rival.session.announce?.({ ...node, id: "rival", port: 8001 }, never)];
    await clock.advance(10_000);
    await Promise.all(announced);
    expect([...announcedNames(own), ...announcedNames(peer)].sort()).toEqual([
      `studio (2).${type}`,
      instance,
    ]);
  });

  test("is given up for a second when the other's records win the tie", async () => {
    void announce();
    await clock.advance(260);
    const before = probes().length;
    probe("a text that is longer than ours");
    await clock.advance(900);
    expect(probes()).toHaveLength(before);
    await clock.advance(3_000);
    expect(announcedNames()).toEqual([instance]);
  });

  test("is claimed to the end whatever stands in the authority section of a query", async () => {
    const announced = announce();
    await clock.advance(260);
    const windowed = {
      type: "NSEC",
      name: instance,
      data: { nextDomain: instance, rrtypes: ["CAA"] },
    } as const;
    const authorities = [windowed as unknown as Answer];
    segment.inject(dnsPacket.encode({ type: "query", questions: [anyOf(instance)], authorities }), peer);
    await clock.advance(4_000);
    await announced;
    expect(announcedNames()).toEqual([instance]);
  });

  test("is kept when our records win the tie", async () => {
    const announced = announce();
    await clock.advance(260);
    probe("");
    await clock.advance(740);
    await announced;
    expect(announcedNames()).toEqual([instance]);
  });

  test("that somebody contradicts every time is tried more and more slowly", async () => {
    segment.listen(({ type, questions = [] }: Packet) => {
      const [question] = questions;
      if (type !== "query" || !question) return;
      segment.inject({ type: "response", flags: 0x400, answers: [location(9_999, question.name)] }, peer);
    });
    const stopping = new AbortController();
    const announced = endpoint.session.announce?.(node, stopping) ?? Promise.resolve();
    const outcome = announced.then(
      () => "announced",
      (reason: unknown) => reason,
    );
    await clock.advance(60_000);
    const late = probes().filter(({ atMs }) => atMs > 5_000);
    const gaps = late.slice(1).map(({ atMs }, index) => atMs - (late[index]?.atMs ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(5_000);
    stopping.abort("enough");
    expect(await outcome).toBe("enough");
  });
});

describe("a name that is announced", () => {
  test("is probed again when somebody else uses it, and kept if nobody defends it", async () => {
    const announced = announce();
    await clock.advance(10_000);
    await announced;
    segment.heard.length = 0;
    segment.inject({ type: "response", flags: 0x400, answers: [location(9_999)] }, peer);
    await clock.advance(2_000);
    expect(probes()).toHaveLength(3);
    expect(announcedNames()).toEqual([instance]);
  });

  test("is given up without a goodbye when the other defends it", async () => {
    const announced = announce();
    await clock.advance(10_000);
    await announced;
    segment.heard.length = 0;
    defend();
    segment.inject({ type: "response", flags: 0x400, answers: [location(9_999)] }, peer);
    await clock.advance(5_000);
    expect(announcedNames()).toEqual([`studio (2).${type}`]);
    const goodbyes = announcements().flatMap(({ packet }) =>
      (packet.answers ?? []).filter((record) => "ttl" in record && record.ttl === 0),
    );
    expect(goodbyes).toEqual([]);
  });

  test("is not contradicted by our own records, whichever way they come back", async () => {
    const announced = announce();
    await clock.advance(10_000);
    await announced;
    const [first] = announcements();
    segment.heard.length = 0;
    segment.inject(first?.packet ?? {}, peer);
    await clock.advance(5_000);
    expect(probes()).toEqual([]);
  });
});

test("a name that nobody chose is not probed", async () => {
  await endpoint.session.announce?.({ id: "box", info: "gpu-box-01", port: 8000 }, never);
  expect(probes()).toEqual([]);
  expect(announcements()).toHaveLength(1);
});
