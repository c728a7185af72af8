import fc, { type Arbitrary } from "fast-check";
import { expect, test } from "vitest";

/** What reads hostile input, from the first to the last of a run. */
export interface Subject<T> {
  /** Reads one input; throws, or rejects, only for what is a fault. */
  readonly read: (input: T) => void | Promise<void>;
  /** How many things it keeps of all that it read: entries, queued bytes, timers, sockets. */
  readonly kept: () => number;
  readonly close?: () => void | Promise<void>;
}

export interface HostileKind<T> {
  readonly inputs: Arbitrary<T>;
  /** How many things may be kept, whatever comes. */
  readonly maxKept: number;
  readonly open: () => Subject<T> | Promise<Subject<T>>;
  /** How many inputs an everyday run reads: as many as take a second or less. @default 500 */
  readonly everyday?: number;
}

/** Set by `npm run fuzz`. */
const long = Number(process.env.HOSTILE_INPUTS ?? 0);
/** The same ones at each everyday run; others, which are printed, at each long one. */
const seed = Number(process.env.HOSTILE_SEED ?? (long > 0 ? Date.now() % 1_000_000 : 20_260_101));
/** Longest time of the processor that one input may take, whatever else the machine does. */
const standstillMs = 50;
/** Hardly any input takes so long but by compiling and sweeping, so that it is read again before it is judged. */
const doubtfulMs = 10;
/** Of an input that fails; the seed and the path bring back all of it. */
const maxShown = 2_000;

/** Registers the test of a kind: no input crashes what reads it, stops it, or stays in it. */
export function readsHostile<T>(name: string, kind: HostileKind<T>): void {
  const count = long > 0 ? long : (kind.everyday ?? 500);
  test(`${name}: ${count} hostile inputs, seed ${seed}`, async () => {
    const subject = await kind.open();
    const weight = new Weight(name, count);
    const property = fc.asyncProperty(kind.inputs, async (input) => {
      if (long > 0) await weight.of(() => subject.read(input), kind, input);
      else await subject.read(input);
      weight.keep(subject.kept());
      expect(subject.kept()).toBeLessThanOrEqual(kind.maxKept);
    });
    try {
      const { failed, counterexample, counterexamplePath, errorInstance } = await fc.check(property, {
        numRuns: count,
        seed,
      });
      if (failed) {
        const shown = fc.stringify(counterexample).slice(0, maxShown);
        const message = `${errorInstance}\nseed ${seed}, path ${counterexamplePath}, input ${shown}`;
        throw new Error(message, { cause: errorInstance });
      }
      if (long > 0) weight.judge();
    } finally {
      await subject.close?.();
    }
  });
}

/** Figures of a long run: time and memory, which no everyday test is judged by. */
class Weight {
  readonly #name: string;
  readonly #count: number;
  readonly #heapsMb: number[] = [];
  #read = 0;
  #sumMs = 0;
  #slowestFirstMs = 0;
  #slowestMs = 0;
  #mostKept = 0;

  constructor(name: string, count: number) {
    this.#name = name;
    this.#count = count;
  }

  keep(kept: number): void {
    this.#mostKept = Math.max(this.#mostKept, kept);
  }

  async of<T>(read: () => void | Promise<void>, kind: HostileKind<T>, input: T): Promise<void> {
    const firstMs = await processorMs(read);
    const ms = firstMs > doubtfulMs ? await leastMs(kind, input) : firstMs;
    this.#sumMs += firstMs;
    this.#slowestFirstMs = Math.max(this.#slowestFirstMs, firstMs);
    this.#slowestMs = Math.max(this.#slowestMs, ms);
    expect(ms, "ms of the processor for one input").toBeLessThan(standstillMs);
    this.#read += 1;
    if (this.#read % Math.ceil(this.#count / 10) === 0) this.#heapsMb.push(heapMb());
  }

  judge(): void {
    const heaps = this.#heapsMb.map((mb) => mb.toFixed(1)).join(" ");
    const meanUs = Math.round((1_000 * this.#sumMs) / this.#count);
    console.log(
      `${this.#name}: ${this.#count} inputs, ${meanUs} µs each, slowest ${this.#slowestMs.toFixed(0)} ms ` +
        `(${this.#slowestFirstMs.toFixed(0)} ms with compiling and sweeping), ` +
        `kept ${this.#mostKept} at most, heap after each tenth ${heaps} MB`,
    );
    const early = Math.max(...this.#heapsMb.slice(0, 4));
    expect(Math.min(...this.#heapsMb.slice(-3))).toBeLessThan(early * 1.1 + 5);
  }
}

/** The least of three readers that have read nothing else: compiling and sweeping only ever add to what an input takes. */
async function leastMs<T>(kind: HostileKind<T>, input: T): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let reader = 0; reader < 3; reader += 1) {
    const fresh = await kind.open();
    least = Math.min(least, await processorMs(() => fresh.read(input)));
    await fresh.close?.();
  }
  return least;
}

async function processorMs(run: () => void | Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

function heapMb(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed / 1_048_576;
}
