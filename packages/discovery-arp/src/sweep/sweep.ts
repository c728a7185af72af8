import { type Clock, sleep } from "@lmserv/discovery-core/transport";
import type { Neighbor } from "../neighbors/neighbor.ts";
import type { SendReport } from "../platform.ts";
import { type Pace, Pacer, resolutionMs } from "./pace.ts";
import type { Target } from "./plan.ts";
import type { TableLoad } from "./table-capacity.ts";

export interface SweepProgress {
  readonly addresses: number;
  readonly asked: number;
  /** Count of asked addresses that belong to a host. */
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
  /** Receives each address as soon as a host answers for it. */
  readonly onAnswer: (fresh: readonly Neighbor[], all: readonly Neighbor[]) => void;
  readonly onProgress: (progress: SweepProgress) => void;
}

/** Reason of an early end: nearly all addresses answered, or the kernel's table stayed full. */
export type Halt = "crowded" | "full";

export interface SweepOutcome extends SweepProgress {
  readonly halt: Halt | null;
  /** System's error for one of the failed addresses, or null. */
  readonly failure: NodeJS.ErrnoException | null;
}

/** Wait for room in the table in ms, which another sweep or program may free. */
const patienceMs = 30_000;
/** Pause in ms, in which a gentle sweep earns forty addresses. */
const stalledPauseMs = 500;
const shortestPauseMs = 10;
const longestPauseMs = 200;
/** Share of answers above which a router or a cloud answers for all addresses. */
const crowdedShare = 0.9;
/** Least count of answers for that conclusion: a small subnet may really be that full. */
const crowdedAtLeast = 64;
/** Wait for answers in ms; only Wi-Fi hosts that save power take longer. */
const promptAnswerMs = 1_000;

interface Asked {
  readonly atMs: number;
  answered: boolean;
}

/** Asks for every target by ARP, at a pace that the kernel's neighbor table bears. */
export async function sweep(options: SweepOptions): Promise<SweepOutcome> {
  return new Sweep(options).run();
}

class Sweep {
  readonly #options: SweepOptions;
  readonly #queue: Target[];
  readonly #pacer: Pacer;
  /** Asked targets; a plan has at most 1,024. */
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

  /** Short while answers come, long when only dead addresses are left. */
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

  /** Count of targets that hold an unresolved entry of the table. */
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
