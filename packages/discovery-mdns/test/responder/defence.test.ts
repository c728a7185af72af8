import { type Registration, Registry, type ResolvedAnnouncement } from "@lmserv/discovery-core/transport";
import { seededRandom, VirtualClock } from "@lmserv/discovery-testkit";
import type { Answer, Packet } from "dns-packet";
import { beforeEach, describe, expect, test } from "vitest";
import { collect, type Heard, joined, type OpenEndpoint, openEndpoint, Segment } from "../segment.ts";

// Another host sends records under the name of an announced node.

const own = "10.0.0.1";
const stranger = "10.0.0.66";
const never = new AbortController();
const node: ResolvedAnnouncement = { id: "box", info: "gpu", port: 8_000 };

let clock: VirtualClock;
let segment: Segment;
let endpoint: OpenEndpoint;
let seen: ReturnType<typeof collect>["seen"];
/** Packets that the test sent. */
let forged: Set<Heard>;

beforeEach(async () => {
  clock = new VirtualClock();
  segment = new Segment(clock);
  forged = new Set();
  endpoint = await openEndpoint(segment.machine(own), clock);
  const watcher = await openEndpoint(segment.machine("10.0.0.2"), clock, seededRandom(2));
  ({ seen } = collect(watcher.session, clock, 120_000));
  await clock.advance(0);
});

/** Announces the node, and resolves with its records once the announcements are over. */
async function announced(changes: Partial<ResolvedAnnouncement> = {}): Promise<Answer[]> {
  const announcing = endpoint.session.announce?.({ ...node, ...changes }, never);
  await clock.advance(10_000);
  await announcing;
  const [first] = segment.heard.filter(isFromOwner);
  segment.heard.length = 0;
  return first?.packet.answers ?? [];
}

function isFromOwner(heard: Heard): boolean {
  return heard.from.address === own && heard.packet.type === "response" && !forged.has(heard);
}

/** Records that the owner sent after its announcements. */
function said(): Answer[] {
  return segment.heard.filter(isFromOwner).flatMap(({ packet }) => packet.answers ?? []);
}

function forge(packet: Packet, from: string): void {
  segment.inject(packet, from);
  const sent = segment.heard.at(-1);
  if (sent) forged.add(sent);
}

function lie(answers: Answer[], from = stranger): void {
  forge({ type: "response", flags: 0x400, answers }, from);
}

/** Changes that users of the watcher see. */
function told(): string[] {
  const registry = new Registry();
  return seen.flatMap((observation) =>
    registry
      .apply(observation, observation.atMs)
      .map(({ kind, node }) => `${kind} ${node.host}:${node.port}`),
  );
}

/** Final addresses of the node at the watcher. */
function addresses(): string[] {
  const alive = seen.flatMap((one) => (one.kind === "alive" ? [one.node.addresses] : []));
  return (alive.at(-1) ?? []).map(({ address }) => address);
}

function goodbyes(records: Answer[]): Answer[] {
  return records.map((record) => ({ ...record, ttl: 0 }) as Answer);
}

function nameOf(records: Answer[], wanted: Answer["type"]): string {
  return records.find((record) => record.type === wanted)?.name ?? "";
}

describe("a goodbye in its name", () => {
  test.each([
    ["its own address", own],
    ["a stranger's address", stranger],
  ])("from %s is contradicted before anybody believes it", async (_, from) => {
    lie(goodbyes(await announced()), from);
    await clock.advance(5_000);
    expect(told()).toEqual([`up ${own}:8000`]);
  });

  test.each(["PTR", "SRV", "TXT", "A"])("of its %s record alone is, too", async (only) => {
    const records = await announced();
    lie(goodbyes(records.filter((record) => record.type === only)), own);
    await clock.advance(5_000);
    expect(said().some((record) => record.type === only)).toBe(true);
    expect(told()).toEqual([`up ${own}:8000`]);
  });

  test("right after it spoke is, too", async () => {
    const announcing = endpoint.session.announce?.(node, never);
    await announcing;
    await clock.advance(1);
    const [first] = segment.heard.filter(isFromOwner);
    lie(goodbyes(first?.packet.answers ?? []), own);
    await clock.advance(3_000);
    expect(told()).toEqual([`up ${own}:8000`]);
  });

  test("under a name that was chosen is, too, and the name is kept", async () => {
    lie(goodbyes(await announced({ name: "Box" })), own);
    await clock.advance(5_000);
    expect(told()).toEqual([`up ${own}:8000`]);
    expect(said().every((record) => !("ttl" in record) || record.ttl !== 0)).toBe(true);
  });

  test("that is a lifetime of a second instead is, too", async () => {
    lie(
      (await announced()).map((record) => ({ ...record, ttl: 1 }) as Answer),
      own,
    );
    await clock.advance(5_000);
    expect(told()).toEqual([`up ${own}:8000`]);
  });

  test("among the additional records is, too", async () => {
    const records = await announced();
    const other: Answer = { type: "PTR", name: "_ipp._tcp.local", ttl: 120, data: "x._ipp._tcp.local" };
    segment.inject({ type: "response", flags: 0x400, answers: [other], additionals: goodbyes(records) }, own);
    await clock.advance(5_000);
    expect(told()).toEqual([`up ${own}:8000`]);
  });

  test("again and again is contradicted twice a second, and believed never", async () => {
    const records = goodbyes(await announced());
    for (let frame = 0; frame < 2_000; frame += 1) {
      lie(records, frame % 2 === 0 ? own : stranger);
      await clock.advance(5);
    }
    await clock.advance(2_000);
    expect(told()).toEqual([`up ${own}:8000`]);
    expect(segment.heard.filter(isFromOwner).length).toBeLessThanOrEqual(21);
  });
});

describe("an address in its name", () => {
  function addressRecord(records: Answer[], data: string): Answer {
    const kind = data.includes(":") ? "AAAA" : "A";
    return { type: kind, name: nameOf(records, "A"), ttl: 120, flush: true, data };
  }

  test.each([own, stranger])("from %s does not take the node's place", async (from) => {
    lie([addressRecord(await announced(), stranger)], from);
    await clock.advance(3_000);
    expect(told().every((line) => line.endsWith(` ${own}:8000`))).toBe(true);
    expect(addresses()).toEqual([own]);
  });

  test("of a family that it has none of is taken back", async () => {
    lie([addressRecord(await announced(), "2001:db8::66")]);
    await clock.advance(3_000);
    expect(addresses()).toEqual([own]);
  });

  test("is ended by a second flush where goodbyes are not understood", async () => {
    const records = await announced();
    lie([addressRecord(records, stranger)]);
    await clock.advance(3_000);
    const times = segment.heard
      .filter(isFromOwner)
      .filter(({ packet }) => packet.answers?.some((a) => a.type === "A" && a.data === own))
      .map(({ atMs }) => atMs);
    expect(times).toHaveLength(2);
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThan(1_000);
  });

  test("by the hundred is contradicted in few packets, and forgotten", async () => {
    const records = await announced();
    for (let host = 1; host <= 200; host += 1) {
      lie([addressRecord(records, `10.0.1.${host}`)], own);
      await clock.advance(5);
    }
    await clock.advance(5_000);
    expect(addresses()).toEqual([own]);
    expect(segment.heard.filter(isFromOwner).length).toBeLessThanOrEqual(6);
  });

  test("of the machine's own name is left to the system's responder", async () => {
    await announced();
    lie([{ type: "A", name: `host-${own}.local`, ttl: 120, flush: true, data: stranger }]);
    await clock.advance(3_000);
    expect(said()).toEqual([]);
  });
});

describe("another place in its name", () => {
  test("is put right at once under a name that nobody chose", async () => {
    const records = await announced();
    const data = { port: 9_999, target: "evil.local" };
    lie([{ type: "SRV", name: nameOf(records, "SRV"), ttl: 120, flush: true, data }], own);
    lie([{ type: "A", name: "evil.local", ttl: 120, flush: true, data: stranger }], own);
    await clock.advance(10);
    expect(told().at(-1)).toBe(`updated ${own}:8000`);
    expect(segment.heard.some(({ packet }) => packet.type === "query")).toBe(false);
  });

  test("is put to a probe under a chosen one", async () => {
    const records = await announced({ name: "Box" });
    const data = { port: 9_999, target: "other.local" };
    lie([{ type: "SRV", name: nameOf(records, "SRV"), ttl: 120, flush: true, data }], own);
    await clock.advance(2_000);
    const probes = segment.heard.filter(({ packet }) => (packet.authorities?.length ?? 0) > 0);
    expect(probes).toHaveLength(3);
    expect(told().at(-1)).toBe(`updated ${own}:8000`);
  });

  test("another description is put right as well", async () => {
    const records = await announced();
    const txt: Answer = {
      type: "TXT",
      name: nameOf(records, "TXT"),
      ttl: 86_400,
      flush: true,
      data: ["info=evil", "id=box"],
    };
    lie([txt], own);
    await clock.advance(10);
    expect(seen.filter(({ kind }) => kind === "alive").at(-1)).toMatchObject({ node: { info: "gpu" } });
  });
});

describe("our own words", () => {
  test("that come back when we left are not contradicted", async () => {
    const registration = await endpoint.session.announce?.(node, never);
    await clock.advance(10_000);
    const leaving = registration?.[Symbol.asyncDispose]();
    await clock.advance(260);
    await leaving;
    const packets = segment.heard.filter(isFromOwner).slice(-3);
    segment.heard.length = 0;
    for (const { packet } of packets) {
      forge(packet, own);
      forge(packet, stranger);
      await clock.advance(600);
    }
    expect(said()).toEqual([]);
  });

  test("that come back before an update are not contradicted", async () => {
    const registration = await endpoint.session.announce?.(node, never);
    await clock.advance(10_000);
    segment.heard.length = 0;
    await registration?.update({ ...node, info: "other" }, never);
    await registration?.update({ ...node, info: "third" }, never);
    const [other] = segment.heard.filter(isFromOwner);
    forge(other?.packet ?? {}, stranger);
    await clock.advance(900);
    expect(segment.heard.filter(isFromOwner)).toHaveLength(2);
  });

  test("do not go round for ever where a reflector joins two links of ours", async () => {
    const other = new Segment(clock);
    const machine = joined(segment.machine("10.0.0.3"), other.machine("10.0.1.3", { name: "eth1" }));
    const both = await openEndpoint(machine, clock, seededRandom(3));
    const fromRouter = new Set<string>();
    const reflect = (to: Segment, router: string) => (packet: Packet) => {
      const bytes = JSON.stringify(packet.answers);
      // A reflector knows its own packets.
      if (fromRouter.delete(bytes)) return;
      fromRouter.add(bytes);
      to.inject(packet, router);
    };
    segment.listen(reflect(other, "10.0.1.254"));
    other.listen(reflect(segment, "10.0.0.254"));
    await both.session.announce?.({ ...node, id: "both" }, never);
    await clock.advance(20_000);
    const before = segment.heard.length + other.heard.length;
    await clock.advance(20_000);
    const sent = [...segment.heard, ...other.heard].filter(({ from }) => from.address.endsWith(".3"));
    expect(sent.filter(({ packet }) => packet.type === "response").length).toBeLessThanOrEqual(8);
    expect(segment.heard.length + other.heard.length - before).toBeLessThanOrEqual(4);
  });

  test("of leaving end when we come back meanwhile", async () => {
    const registration = (await endpoint.session.announce?.(node, never)) as Registration;
    await clock.advance(10_000);
    await registration.update({ ...node, addresses: ["10.9.9.9"] }, never);
    await clock.advance(50);
    segment.heard.length = 0;
    await registration.update({ ...node, addresses: [own] }, never);
    await clock.advance(5_000);
    expect(said().filter((record) => "ttl" in record && record.ttl === 0)).toEqual([]);
    expect(told()).toEqual([`up ${own}:8000`]);
  });
});
