import { type Clock, sleep } from "@lmserv/discovery-core/transport";
import type { Neighbor } from "../neighbors/neighbor.ts";
import type { SendReport } from "../platform.ts";
import { type Pace, Pacer, resolutionMs } from "./pace.ts";
import type { Target } from "./plan.ts";
import type { TableLoad } from "./table-capacity.ts";

export interface SweepProgress {
  /** How many addresses are to be asked. */
  readonly addresses: number;
  readonly asked: number;
  /** How many of them are somebody's. */
  readonly answered: number;
}

export interface SweepOptions {
  readonly targets: readonly Target[];
  readonly pace: Pace;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly triggerArp: (targets: readonly Target[]) => Promise<SendReport>;
  readonly tableLoad: (signal: AbortSignal) => Promise<TableLoad | null>;
  readonly readTable: (signal: AbortSignal) => Promise<readonly Neighbor[]>;
  /** Takes each address the moment that it is known to be somebody's. */
  readonly onAnswer: (fresh: readonly Neighbor[], all: readonly Neighbor[]) => void;
  readonly onProgress: (progress: SweepProgress) => void;
}

/** Why a sweep ended before its time: everybody seemed to answer, or the kernel's table stayed full. */
export type Halt = "crowded" | "full";

export interface SweepOutcome extends SweepProgress {
  readonly halt: Halt | null;
  /** What the system said of an address that could not be asked, or null. */
  readonly failure: NodeJS.ErrnoException | null;
}

/** Another sweep, or somebody else, may give back the room within this time. */
const patienceMs = 30_000;
/** In which a gentle sweep may ask the next forty. */
const stalledPauseMs = 500;
const shortestPauseMs = 10;
const longestPauseMs = 200;
/** A share of answers above this is a router that answers for everybody, or a cloud. */
const crowdedShare = 0.9;
/** A small subnet may really be that full. */
const crowdedAtLeast = 64;
/** A host that is there has answered by then; Wi-Fi that saves power takes longer. */
const promptAnswerMs = 1_000;

interface Asked {
  readonly atMs: number;
  answered: boolean;
}

/** Asks for every target by ARP, at a pace that the kernel's table of neighbours bears. */
export async function sweep(options: SweepOptions): Promise<SweepOutcome> {
  return new Sweep(options).run();
}

class Sweep {
  readonly #options: SweepOptions;
  readonly #queue: Target[];
  readonly #pacer: Pacer;
  /** Every target that was asked; a plan has at most 1,024. */
  readonly #asked = new Map<string, Asked>();
  #answered = 0;
  #lastAskMs: number;
  #isStalled = false;
  #failure: NodeJS.ErrnoException | null = null;

  constructor(options: SweepOptions) {
    this.#options = options;
    this.#queue = [...options.targets];
    this.#lastAskMs = options.clock.now();
    this.#pacer = new Pacer(options.pace, this.#lastAskMs);
  }

  async run(): Promise<SweepOutcome> {
    const { clock, signal } = this.#options;
    let halt: Halt | null = null;
    while (halt === null && (this.#queue.length > 0 || this.#unresolved() > 0)) {
      if (this.#queue.length > 0) await this.#ask();
      await sleep(clock, this.#pauseMs(), signal);
      await this.#harvest();
      halt = this.#reasonToHalt();
    }
    return { ...this.#progress(), halt, failure: this.#failure };
  }

  async #ask(): Promise<void> {
    const { clock, signal, tableLoad, triggerArp, onProgress } = this.#options;
    const load = await tableLoad(signal);
    const quota = this.#pacer.quota(clock.now(), this.#unresolved(), load);
    const targets = this.#queue.splice(0, quota);
    this.#isStalled = targets.length === 0;
    if (this.#isStalled) return;
    this.#pacer.spend(targets.length);
    const { failure } = await triggerArp(targets);
    this.#failure ??= failure;
    // The system has no room for more at the moment.
    this.#isStalled = failure?.code === "ENOBUFS";
    this.#lastAskMs = clock.now();
    for (const { address } of targets) this.#asked.set(address, { atMs: this.#lastAskMs, answered: false });
    onProgress(this.#progress());
  }

  async #harvest(): Promise<void> {
    const { signal, readTable, onAnswer, onProgress } = this.#options;
    const all = await readTable(signal);
    const fresh = all.filter(({ address }) => this.#asked.get(address)?.answered === false);
    if (fresh.length === 0) return;
    for (const { address } of fresh) {
      const asked = this.#asked.get(address);
      if (asked) asked.answered = true;
    }
    this.#answered += fresh.length;
    onAnswer(fresh, all);
    onProgress(this.#progress());
  }

  /** Looks often while answers come, seldom when only the dead are left. */
  #pauseMs(): number {
    if (this.#isStalled) return stalledPauseMs;
    const sinceMs = this.#options.clock.now() - this.#lastAskMs;
    return Math.min(Math.max(sinceMs / 5, shortestPauseMs), longestPauseMs);
  }

  #reasonToHalt(): Halt | null {
    const nowMs = this.#options.clock.now();
    if (this.#isStalled && nowMs - this.#lastAskMs > patienceMs) return "full";
    const known = [...this.#asked.values()].filter(({ atMs }) => nowMs - atMs >= promptAnswerMs);
    const answered = known.filter((asked) => asked.answered).length;
    return known.length >= crowdedAtLeast && answered > known.length * crowdedShare ? "crowded" : null;
  }

  /** How many hold an entry of the table that leads nowhere yet. */
  #unresolved(): number {
    const nowMs = this.#options.clock.now();
    const waiting = [...this.#asked.values()].filter(
      ({ answered, atMs }) => !answered && nowMs - atMs < resolutionMs,
    );
    return waiting.length;
  }

  #progress(): SweepProgress {
    const { targets } = this.#options;
    return { addresses: targets.length, asked: this.#asked.size, answered: this.#answered };
  }
}
