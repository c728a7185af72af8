import { TableCapacity, type TableLoad } from "./table-capacity.ts";

/** Pace of a sweep: `prompt` is as fast as the kernel's table has room; `gentle` is 80 addresses a second. */
export type Pace = "prompt" | "gentle";

/** Time for which the kernel asks for an address, in ms: three times, a second apart. */
export const resolutionMs = 3_100;
/** At 128 a second, browsers in other namespaces missed nothing; unpaced, ten of fifteen did. */
const gentlePerSecond = 80;
/** Addresses saved up by a pause of half a second. */
const maxCredit = 40;
/**
 * Bound on unresolved addresses: each holds an entry of the table for three seconds; these take a quarter of
 * it.
 */
const maxUnresolved = 256;
/** Interval at which the kernel clears failed entries, in ms. */
const clearingMs = 15_000;
/** Entries that a sweep can add to a usual table before it waits for that clearing. */
const usualRoom = 448;

/** Limits the addresses that may be asked, for the sake of the link and of the kernel's table. */
export class Pacer {
  readonly #pace: Pace;
  readonly #capacity = new TableCapacity();
  #credit = maxCredit;
  #creditMs: number;

  constructor(pace: Pace, nowMs: number) {
    this.#pace = pace;
    this.#creditMs = nowMs;
  }

  /** Count of addresses that may be asked now; an unknown table load means the gentle pace. */
  quota(nowMs: number, unresolved: number, load: TableLoad | null): number {
    this.#earn(nowMs);
    const free = load ? this.#capacity.room(load, nowMs) : maxUnresolved;
    const room = Math.min(maxUnresolved - unresolved, free);
    const allowed = this.#pace === "prompt" && load ? room : Math.min(room, this.#credit);
    return Math.max(Math.floor(allowed), 0);
  }

  spend(count: number): void {
    this.#credit = Math.max(this.#credit - count, 0);
  }

  #earn(nowMs: number): void {
    const earned = ((nowMs - this.#creditMs) * gentlePerSecond) / 1_000;
    this.#credit = Math.min(this.#credit + earned, maxCredit);
    this.#creditMs = nowMs;
  }
}

/** Duration of a sweep of `count` addresses with a nearly empty table, in ms. */
export function sweepMs(count: number, pace: Pace): number {
  if (count === 0) return 0;
  if (pace === "gentle") return (count / gentlePerSecond) * 1_000 + resolutionMs;
  const rounds = Math.ceil(count / maxUnresolved);
  const clearings = Math.ceil(count / usualRoom) - 1;
  return rounds * resolutionMs + clearings * clearingMs;
}
