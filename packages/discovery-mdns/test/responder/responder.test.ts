import type { TransportSession } from "@lmserv/discovery-core/transport";
import { VirtualClock } from "@lmserv/discovery-testkit";
import dnsPacket, { type Answer, type Packet, type Question } from "dns-packet";
import { beforeEach, describe, expect, test } from "vitest";
import { anyOf, collect, type Heard, openEndpoint, Segment } from "../segment.ts";

const type = "_lmserv._tcp.local";
const own = "10.0.0.1";
const peer = "10.0.0.2";
const never = new AbortController();

let clock: VirtualClock;
let segment: Segment;
let session: TransportSession;

beforeEach(async () => {
  clock = new VirtualClock();
  segment = new Segment(clock);
  ({ session } = await openEndpoint(segment.machine(own), clock));
});

const announce = (info: string, port = 8000): Promise<AsyncDisposable> =>
  session.announce?.({ id: `id-${info}`, info, port, path: "/chat", server: "lmserv" }, never) ??
  Promise.reject(new Error("cannot announce"));

const responses = (): Heard[] =>
  segment.heard.filter(({ packet, from }) => packet.type === "response" && from.address === own);

const answersOf = ({ packet }: Heard): Answer[] => packet.answers ?? [];
const find = (records: Answer[] | undefined, wanted: string): Answer | undefined =>
  records?.find((record) => record.type === wanted);

function names(): { instance: string; host: string } {
  const [first] = responses();
  const ptr = first && find(answersOf(first), "PTR");
  const a = first && find(answersOf(first), "A");
  return { instance: String(ptr && "data" in ptr && ptr.data), host: String(a?.name) };
}

function ask(questions: Question[], parts: Packet = {}, port = 5353): void {
  segment.inject({ type: "query", questions, ...parts }, peer, port);
}

/** Announces, waits until the announcements are over, and forgets them. */
async function announced(info = "gpu-box-01"): Promise<{ instance: string; host: string }> {
  await announce(info);
  const known = names();
  await clock.advance(10_000);
  segment.heard.length = 0;
  return known;
}

describe("announcing", () => {
  test("happens at 0, 1, 3 and 7 s and then never again", async () => {
    await announce("gpu-box-01");
    await clock.advance(3_600_000);
    expect(responses().map(({ atMs }) => atMs)).toEqual([0, 1_010, 3_020, 7_030]);
  });

  test("tells everything in one packet: PTR shared, the rest unique", async () => {
    await announce("gpu-box-01");
    const [first] = responses();
    const { instance, host } = names();
    expect(instance).toMatch(/^gpu-box-01-[0-9a-f]{20}\._lmserv\._tcp\.local$/);
    expect(first?.packet.flags).toBe(0x400);
    expect(first?.packet.answers).toMatchObject([
      { type: "PTR", name: type, ttl: 4500, flush: false, data: instance },
      { type: "PTR", name: `_lmserv._sub.${type}`, ttl: 4500, flush: false, data: instance },
      { type: "SRV", name: instance, ttl: 120, flush: true, data: { port: 8000, target: host } },
      { type: "TXT", name: instance, ttl: 4500, flush: true },
      { type: "A", name: host, ttl: 120, flush: true, data: own },
    ]);
  });

  test("puts info= first in TXT, then what a node is made of", async () => {
    await announce("gpu-box-01");
    const txt = find(responses()[0]?.packet.answers, "TXT");
    const strings = (txt && "data" in txt ? (txt.data as Buffer[]) : []).map(String);
    expect(strings).toEqual([
      "info=gpu-box-01",
      "id=id-gpu-box-01",
      "path=/chat",
      `host=host-${own}`,
      "server=lmserv",
    ]);
  });

  test("uses a host name of its own, never the machine's", async () => {
    await announce("gpu-box-01");
    expect(names().host).toMatch(/^lmserv-[0-9a-f]{20}\.local$/);
  });

  test("two servers on one machine do not collide", async () => {
    await announce("gpu-box", 8000);
    await announce("gpu-box", 8001);
    const instances = responses().map((heard) => find(answersOf(heard), "SRV")?.name);
    expect(new Set(instances).size).toBe(2);
  });

  test.each([
    ["a name of 64 bytes", { name: "x".repeat(64) }, /63 bytes/],
    ["a name with a line feed", { name: "a\nb" }, /control characters/],
    ["a model with a comma", { models: ["a,b"] }, /"a,b".*comma/],
    ["an attribute that has a field of its own", { attributes: { Info: "x" } }, /"Info"/],
  ])("refuses %s and sends nothing", async (_, extra, message) => {
    await expect(session.announce?.({ id: "a", info: "", port: 1, ...extra }, never)).rejects.toThrow(
      message,
    );
    expect(segment.heard).toEqual([]);
  });
});

test("of many models the first are announced, as many as fit", async () => {
  const models = Array.from({ length: 40 }, (_, index) => `model-${index}`);
  await session.announce?.({ id: "box", info: "", port: 8000, models }, never);
  const txt = find(responses()[0]?.packet.answers, "TXT");
  const strings = (txt && "data" in txt ? (txt.data as Buffer[]) : []).map(String);
  const listed =
    strings
      .find((string) => string.startsWith("models="))
      ?.slice("models=".length)
      .split(",") ?? [];
  expect(listed).toEqual(models.slice(0, listed.length));
  expect(listed.length).toBe(28);
});

test("an update is announced with the new TXT record, and no goodbye", async () => {
  const node = { id: "box", info: "idle", port: 8000, server: "lmserv" };
  const registration = await session.announce?.(node, never);
  await clock.advance(10_000);
  segment.heard.length = 0;
  await registration?.update({ ...node, info: "busy", models: ["a", "b"] }, never);
  await clock.advance(10_000);
  expect(responses().map(({ atMs }) => atMs - 10_000)).toEqual([0, 1_010, 3_020, 7_030]);
  expect(responses().map((heard) => answersOf(heard).length)).toEqual([1, 5, 5, 5]);
  for (const heard of responses()) {
    const txt = find(answersOf(heard), "TXT");
    const strings = (txt && "data" in txt ? (txt.data as Buffer[]) : []).map(String);
    expect(strings).toEqual(expect.arrayContaining(["info=busy", "models=a,b"]));
    expect(txt).toMatchObject({ flush: true, ttl: 4500 });
  }
});

test("an update to another engine takes the old list's pointer back", async () => {
  const node = { id: "box", info: "", port: 8000, server: "ollama" };
  const registration = await session.announce?.(node, never);
  await clock.advance(10_000);
  segment.heard.length = 0;
  await registration?.update({ ...node, server: "vllm" }, never);
  expect(responses().map(answersOf)).toMatchObject([
    [
      { type: "PTR", name: `_ollama._sub.${type}`, ttl: 0 },
      { type: "PTR", name: `_vllm._sub.${type}`, ttl: 4500 },
      { type: "TXT", ttl: 4500 },
    ],
  ]);
});

describe("goodbye", () => {
  test("is said three times, for every record", async () => {
    const handle = await announce("gpu-box-01");
    await clock.advance(10_000);
    segment.heard.length = 0;
    const leaving = handle[Symbol.asyncDispose]();
    await clock.advance(1_000);
    await leaving;
    expect(responses()).toHaveLength(3);
    for (const heard of responses()) {
      expect(answersOf(heard).map((record) => ["ttl" in record && record.ttl, record.type])).toEqual([
        [0, "PTR"],
        [0, "PTR"],
        [0, "SRV"],
        [0, "TXT"],
        [0, "A"],
      ]);
    }
  });

  test("is said when the session ends, and nothing afterwards", async () => {
    await announce("gpu-box-01");
    await clock.advance(2_000);
    const closing = session[Symbol.asyncDispose]();
    await clock.advance(1_000);
    await closing;
    const before = segment.heard.length;
    await clock.advance(60_000);
    expect(segment.heard.length).toBe(before);
    expect(clock.pending).toBe(0);
  });
});

describe("answering", () => {
  test("for the service type after 20 to 120 ms, with what the asker wants next", async () => {
    const { instance, host } = await announced();
    const askedMs = clock.now();
    ask([{ name: type, type: "PTR" }]);
    await clock.advance(200);
    const [answer] = responses();
    expect(answer?.atMs).toBeGreaterThanOrEqual(askedMs + 20);
    expect(answer?.atMs).toBeLessThanOrEqual(askedMs + 121);
    expect(answer?.packet.answers).toMatchObject([{ type: "PTR", data: instance }]);
    expect(answer?.packet.additionals).toMatchObject([
      { type: "SRV", name: instance },
      { type: "TXT", name: instance },
      { type: "A", name: host },
      { type: "NSEC", name: host },
    ]);
  });

  test("for unique records at once", async () => {
    const { instance, host } = await announced();
    const askedMs = clock.now();
    ask([{ name: host, type: "A" }]);
    ask([{ name: instance.toUpperCase(), type: "SRV" }]);
    await clock.advance(5);
    expect(responses().map((heard) => answersOf(heard).map((record) => record.type))).toEqual([
      ["A"],
      ["SRV"],
    ]);
    expect(responses().every(({ atMs }) => atMs < askedMs + 1)).toBe(true);
  });

  test("not when the asker knows, unless it knows for less than half the lifetime", async () => {
    const { instance } = await announced();
    const known = (ttl: number): Packet => ({ answers: [{ type: "PTR", name: type, ttl, data: instance }] });
    ask([{ name: type, type: "PTR" }], known(2_250));
    await clock.advance(1_000);
    expect(responses()).toEqual([]);
    ask([{ name: type, type: "PTR" }], known(2_249));
    await clock.advance(1_000);
    expect(responses()).toHaveLength(1);
  });

  test("at most once a second for each record", async () => {
    await announced();
    for (let round = 0; round < 20; round += 1) {
      ask([{ name: type, type: "PTR" }]);
      await clock.advance(100);
    }
    const times = responses().map(({ atMs }) => atMs);
    const gaps = times.slice(1).map((atMs, index) => atMs - (times[index] ?? 0));
    expect(times.length).toBeGreaterThanOrEqual(2);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(1_000);
  });

  test("to the asker alone when that is what it asked for and the others know", async () => {
    const { instance } = await announced();
    segment.inject(withUnicastBit({ type: "query", questions: [{ name: instance, type: "SRV" }] }), peer);
    await clock.advance(1);
    expect(responses().map(({ to }) => to)).toEqual([{ address: peer, port: 5353 }]);
  });

  test("to an ordinary resolver: its question and id again, short lives, no cache flush", async () => {
    const { instance } = await announced();
    ask([{ name: instance, type: "SRV" }], { id: 4711 }, 40_000);
    await clock.advance(1);
    const [answer] = responses();
    expect(answer?.to).toEqual({ address: peer, port: 40_000 });
    expect(answer?.packet).toMatchObject({ id: 4711, questions: [{ name: instance, type: "SRV" }] });
    expect(answer?.packet.answers).toMatchObject([{ type: "SRV", ttl: 10, flush: false }]);
  });

  test("that there is no such record", async () => {
    const { instance, host } = await announced();
    ask([{ name: host, type: "AAAA" }]);
    ask([{ name: instance, type: "A" }]);
    await clock.advance(5);
    expect(responses().flatMap(answersOf)).toMatchObject([
      { type: "NSEC", name: host, data: { rrtypes: ["A"] } },
      { type: "NSEC", name: instance, data: { rrtypes: ["TXT", "SRV"] } },
    ]);
  });

  test("for all types at once, and for the list of service types", async () => {
    const { instance } = await announced();
    ask([anyOf(instance)]);
    ask([{ name: "_services._dns-sd._udp.local", type: "PTR" }]);
    await clock.advance(500);
    expect(responses().flatMap(answersOf)).toMatchObject([
      { type: "SRV", name: instance },
      { type: "TXT", name: instance },
      { type: "PTR", name: "_services._dns-sd._udp.local", data: type },
    ]);
  });

  test("nobody who asks for somebody else", async () => {
    await announced();
    ask([{ name: "_ipp._tcp.local", type: "PTR" }]);
    ask([{ name: "printer.local", type: "A" }]);
    await clock.advance(1_000);
    expect(responses()).toEqual([]);
  });
});

/** dns-packet cannot write the QU bit; that of a single question is 16 bits before the end. */
function withUnicastBit(packet: Packet): Uint8Array {
  const bytes = dnsPacket.encode(packet);
  bytes.writeUInt16BE(0x8001, bytes.length - 2);
  return bytes;
}

test("a session finds what it announces itself", async () => {
  const { seen } = collect(session, clock);
  await announce("gpu-box-01");
  await clock.advance(5);
  expect(seen).toMatchObject([
    { kind: "alive", node: { id: "id-gpu-box-01", addresses: [{ address: own, reach: "source" }] } },
  ]);
});

test("two sessions find each other, and the goodbye of one", async () => {
  const other = await openEndpoint(segment.machine(peer), clock);
  const handle = await announce("gpu-box-01");
  await clock.advance(10_000);
  const { seen } = collect(other.session, clock);
  await clock.advance(200);
  expect(seen).toMatchObject([{ kind: "alive", node: { info: "gpu-box-01", hostname: `host-${own}` } }]);
  const leaving = handle[Symbol.asyncDispose]();
  await clock.advance(1_100);
  await leaving;
  expect(seen.at(-1)).toMatchObject({ kind: "gone", reason: "goodbye" });
});
