import fc, { type Arbitrary } from "fast-check";
import { expect, test } from "vitest";

/** Reader of hostile input, for one run. */
export interface Subject<T> {
  /** Reads one input; throws, or rejects, only for a fault. */
  readonly read: (input: T) => void | Promise<void>;
  /** Count of everything that it keeps: entries, queued bytes, timers, sockets. */
  readonly kept: () => number;
  readonly close?: () => void | Promise<void>;
}

export interface HostileKind<T> {
  readonly inputs: Arbitrary<T>;
  /** Bound on that count, whatever comes. */
  readonly maxKept: number;
  readonly open: () => Subject<T> | Promise<Subject<T>>;
  /** Inputs of an everyday run, as many as take a second or less. @default 500 */
  readonly everyday?: number;
}

/** Set by `npm run fuzz`. */
const long = Number(process.env.HOSTILE_INPUTS ?? 0);
/** Same seed for each everyday run; another one, which is printed, for each long one. */
const seed = Number(process.env.HOSTILE_SEED ?? (long > 0 ? Date.now() % 1_000_000 : 20_260_101));
/** Longest processor time of one input, in ms, whatever else the machine does. */
const standstillMs = 50;
/** Time in ms above which an input is read again: usually it was compiling and sweeping. */
const doubtfulMs = 10;
/** Bound on the shown part of a failing input; the seed and the path restore all of it. */
const maxShown = 2_000;

/** Registers the test of a kind: no input crashes its reader, blocks it, or stays in it. */
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

/** Time and memory of a long run, which no everyday test judges. */
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

/** Least time of three fresh readers: compiling and sweeping only add to an input's time. */
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
