import { TableCapacity, type TableLoad } from "./table-capacity.ts";

/** `prompt`: as fast as the kernel's table has room for. `gentle`: 80 addresses a second. */
export type Pace = "prompt" | "gentle";

/** The kernel asks three times for an address, a second apart, before it gives up. */
export const resolutionMs = 3_100;
/** At 128 a second, browsers in other namespaces missed nothing; unpaced, ten of fifteen did. */
const gentlePerSecond = 80;
/** What a pause of half a second saves up. */
const maxCredit = 40;
/** An unresolved address holds an entry of the table for three seconds: with these a quarter of it. */
const maxUnresolved = 256;
/** Entries that failed stay until the kernel's next clearing. */
const clearingMs = 15_000;
/** What a sweep fills, beside what others have in the table, before it has to wait for that. */
const usualRoom = 448;

/** How many addresses may be asked, so that neither the link nor the kernel's table suffers. */
export class Pacer {
  readonly #pace: Pace;
  readonly #capacity = new TableCapacity();
  #credit = maxCredit;
  #creditMs: number;

  constructor(pace: Pace, nowMs: number) {
    this.#pace = pace;
    this.#creditMs = nowMs;
  }

  /** How many may be asked now; where the table's load is not known, the gentle pace has to do. */
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

/** How long a sweep of so many addresses takes on a machine whose table is nearly empty. */
export function sweepMs(count: number, pace: Pace): number {
  if (count === 0) return 0;
  if (pace === "gentle") return (count / gentlePerSecond) * 1_000 + resolutionMs;
  const rounds = Math.ceil(count / maxUnresolved);
  const clearings = Math.ceil(count / usualRoom) - 1;
  return rounds * resolutionMs + clearings * clearingMs;
}
