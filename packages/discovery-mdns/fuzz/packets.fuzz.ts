import { openSync, readdirSync, readFileSync, readSync } from "node:fs";
import { PerformanceObserver } from "node:perf_hooks";
import { silentLog } from "@lmserv/discovery-core/transport";
import { seededRandom, VirtualClock } from "@lmserv/discovery-testkit";
import dnsPacket, { type Answer } from "dns-packet";
import { expect, test } from "vitest";
import { mdnsOn } from "../src/transport.ts";
import { collect, Segment } from "../test/segment.ts";

const packets = Number(process.env.FUZZ_PACKETS ?? 1_000_000);
// Each run takes another seed and prints it, so that a failure can be repeated.
const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 1_000_000);
/** Packets per virtual second: a hundred times the traffic of a large and busy network. */
const packetsPerSecond = 1_000;
/** Packets that arrive at the same moment. */
const packetsAtOnce = 100;
/** Bound of 200 direct answers and a few by multicast: a flood of questions causes no flood of answers. */
const maxSentPerSecond = 220;
/** Longest processor time of one packet or one timer, in ms. */
const standstillMs = 50;
const type = "_lmserv._tcp.local";

const random = seededRandom(seed);
const below = (limit: number): number => Math.floor(random() * limit);

const golden = new URL("../test/dns/golden/", import.meta.url);
const recorded = readdirSync(golden)
  .filter((name) => name.endsWith(".hex"))
  .map((name) => Buffer.from(readFileSync(new URL(name, golden), "utf8").replace(/^#.*$|\s/gm, ""), "hex"));

function service(instance: string, address: string): Answer[] {
  return [
    { type: "PTR", name: type, ttl: 4_500, data: `${instance}.${type}` },
    {
      type: "SRV",
      name: `${instance}.${type}`,
      ttl: 120,
      flush: true,
      data: { port: 8_000, target: `${instance}.local` },
    },
    { type: "TXT", name: `${instance}.${type}`, ttl: 4_500, flush: true, data: ["info=x", `id=${instance}`] },
    { type: "A", name: `${instance}.local`, ttl: 120, flush: true, data: address },
  ];
}

function response(answers: Answer[]): Buffer {
  return dnsPacket.encode({ type: "response", flags: 0x400, answers });
}

/** Packet like the recorded ones, a new host's announcement, or one of either after damage. */
function nextPacket(): Buffer {
  const source = random() < 0.3 ? response(service(`flood-${below(1e9)}`, randomAddress())) : pick(recorded);
  const bytes = Buffer.from(source);
  const mutation = below(6);
  if (mutation === 0) return bytes.subarray(0, below(bytes.length));
  if (mutation === 1) return Buffer.concat([bytes, pick(recorded)]);
  if (mutation === 2 && bytes.length > 12) bytes.writeUInt16BE(below(65_536), 4 + 2 * below(4));
  if (mutation >= 3)
    for (let flips = below(6); flips > 0; flips -= 1) bytes[below(bytes.length)] = below(256);
  if (mutation === 4 && bytes.length > 14)
    bytes.writeUInt16BE(0xc000 | below(bytes.length), 12 + below(bytes.length - 14));
  return bytes;
}

function pick<T>(items: readonly T[]): T {
  const item = items[below(items.length)];
  if (item === undefined) throw new TypeError("nothing to pick from");
  return item;
}

function randomAddress(): string {
  return `10.0.${below(256)}.${1 + below(254)}`;
}

/** Virtual clock that measures each packet and each timer. */
class Stopwatch extends VirtualClock {
  /** Slow turns, each with its start and its end. */
  readonly #slow: { readonly fromMs: number; readonly toMs: number; readonly tookMs: number }[] = [];

  override schedule(delayMs: number, callback: () => void): () => void {
    return super.schedule(delayMs, () => {
      const [startMs, fromMs] = [ownMs(), performance.now()];
      callback();
      const tookMs = ownMs() - startMs;
      if (tookMs > doubtfulMs) this.#slow.push({ fromMs, toMs: performance.now(), tookMs });
    });
  }

  /** Longest turn in ms, without the garbage collector's pauses. */
  get slowestMs(): number {
    const judged = this.#slow.map(({ fromMs, toMs, tookMs }) => {
      const during = pauses.filter(({ startTime }) => startTime >= fromMs && startTime <= toMs);
      return tookMs - during.reduce((sum, { duration }) => sum + duration, 0);
    });
    return Math.max(0, ...judged);
  }
}

/** Turns shorter than this are not recorded. */
const doubtfulMs = 10;
const pauses: { readonly startTime: number; readonly duration: number }[] = [];
new PerformanceObserver((list) => {
  for (const { startTime, duration } of list.getEntries()) {
    // An entry itself takes some kB.
    if (duration > 1) pauses.push({ startTime, duration });
  }
}).observe({ entryTypes: ["gc"] });

const schedstat = openSync("/proc/thread-self/schedstat", "r");
const digits = Buffer.alloc(24);

/** Processor time of this thread, in ms: neither other processes nor V8's own threads count. */
function ownMs(): number {
  readSync(schedstat, digits, 0, digits.length, 0);
  return Number.parseInt(digits.toString("latin1"), 10) / 1e6;
}

function heapMb(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed / 1_048_576;
}

test(`${packets} packets, seed ${seed}`, async () => {
  const clock = new Stopwatch();
  const segment = new Segment(clock);
  const context = { clock, random, log: silentLog, nodes: { listAlive: () => [] }, report: () => {} };
  const session = await mdnsOn(segment.machine("10.0.0.1", { prefix: 16 }), {}).open(
    context,
    new AbortController(),
  );
  for (const port of [8_000, 8_001]) {
    await session.announce?.({ id: `own-${port}`, info: "own", port }, new AbortController());
  }
  const browse = collect(session, clock);
  const real = response(service("real", "10.0.255.254"));
  const heapsMb: number[] = [];
  let sent = 0;
  let realSeen = 0;
  for (let count = 1; count <= packets; count += 1) {
    segment.inject(nextPacket(), randomAddress(), random() < 0.9 ? 5_353 : 1_024 + below(60_000));
    if (count % packetsAtOnce === 0) await clock.advance((1_000 * packetsAtOnce) / packetsPerSecond);
    if (count % packetsPerSecond > 0) continue;
    if ((count / packetsPerSecond) % 20 === 1) segment.inject(real, "10.0.255.254");
    sent += segment.heard.filter(({ from }) => from.address === "10.0.0.1").length;
    realSeen += browse.seen.filter((seen) => seen.kind === "alive" && seen.node.id === "real").length;
    segment.heard.length = 0;
    browse.seen.length = 0;
    if (count % (packets / 10) === 0) heapsMb.push(heapMb());
  }
  const seconds = packets / packetsPerSecond;
  console.log(
    `heap after each tenth, MB: ${heapsMb.map((mb) => mb.toFixed(1)).join(" ")}; sent ${sent} packets in ${seconds} s; slowest ${clock.slowestMs.toFixed(1)} ms`,
  );
  expect(realSeen).toBeGreaterThanOrEqual(seconds / 20);
  expect(Math.max(...heapsMb.slice(5))).toBeLessThan(Math.max(...heapsMb.slice(2, 5)) * 1.1 + 5);
  expect(clock.slowestMs).toBeLessThan(standstillMs);
  expect(sent / seconds).toBeLessThan(maxSentPerSecond);
  browse.stop();
  const closing = session[Symbol.asyncDispose]();
  await clock.advance(1_000);
  await closing;
}, 7_200_000);
