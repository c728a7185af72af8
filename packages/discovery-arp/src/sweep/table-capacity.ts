/** How full the kernel's table of IPv4 neighbours is: one table for the whole machine, containers included. */
export interface TableLoad {
  /** All of them, also the permanent ones, which take no room from others. */
  readonly entries: number;
  /** With more than this many, permanent ones aside, the kernel throws out what it can (`gc_thresh2`). */
  readonly softLimit: number;
  /** With this many, permanent ones aside, it takes no more (`gc_thresh3`). */
  readonly hardLimit: number;
  /** How often it did so since the machine started. */
  readonly clearings: number;
  /** How often it had to refuse an entry. */
  readonly refusals: number;
}

/** The kernel's two limits. */
export type TableLimits = Pick<TableLoad, "softLimit" | "hardLimit">;

/** What is left to the neighbours that everybody else on the machine makes meanwhile. */
export const reserve = 32;
/** So many beyond the limit cost others as many entries, of which the kernel takes the oldest. */
const trial = 32;
/** The kernel throws out entries that failed, our own too, within this time. */
const leftoversMs = 16_000;
/** The kernel clears a full table no more often than that. */
const clearingEveryMs = 5_000;

/** Knows, from one look at the table to the next, how many new entries it takes without harm to others. */
export class TableCapacity {
  #latest: TableLoad | null = null;
  /** Until when the kernel is left alone, because it cleared the table; twice as long at each time. */
  #restUntilMs = Number.NEGATIVE_INFINITY;
  #restMs = clearingEveryMs;
  /** Since when the table is full, or null. */
  #fullMs: number | null = null;

  /** How many entries may be made now. */
  room(load: TableLoad, nowMs: number): number {
    const { entries, softLimit, clearings, refusals } = load;
    const isFirst = this.#latest === null;
    const before = this.#latest ?? load;
    this.#latest = load;
    if (clearings !== before.clearings || refusals !== before.refusals) this.#rest(nowMs);
    const room = softLimit - reserve - entries;
    this.#fullMs = room >= trial ? null : (this.#fullMs ?? (isFirst ? Number.NEGATIVE_INFINITY : nowMs));
    if (this.#fullMs === null) return room;
    // What we left there ourselves goes away. What stays may be permanent, which is not told: unless the kernel
    // has just cleared the table, a few more show it.
    const isOthers = nowMs - this.#fullMs > leftoversMs;
    return isOthers && nowMs > this.#restUntilMs ? trial : 0;
  }

  #rest(nowMs: number): void {
    this.#restUntilMs = nowMs + this.#restMs;
    this.#restMs *= 2;
  }
}

/** Reads `/proc/net/stat/arp_cache`: a header and, in hexadecimal, a row for each processor. */
export function parseArpCacheStat(text: string, limits: TableLimits): TableLoad | null {
  const [header = "", ...rows] = text.trimEnd().split("\n");
  const names = header.trim().split(/\s+/);
  const column = (name: string): number[] =>
    rows.map((row) => Number.parseInt(row.trim().split(/\s+/)[names.indexOf(name)] ?? "", 16));
  const sum = (name: string): number => column(name).reduce((total, count) => total + count, 0);
  // Each row tells the entries of all; the counters are each processor's own.
  const [entries = Number.NaN] = column("entries");
  return checked({ entries, ...limits, clearings: sum("forced_gc_runs"), refusals: sum("table_fulls") });
}

/** Reads what `ip -s ntable show name arp_cache` prints, which also containers can ask. */
export function parseNtable(text: string): TableLoad | null {
  const words = text.split(/\s+/);
  const number = (name: string): number => {
    const at = words.indexOf(name);
    return at === -1 ? Number.NaN : Number(words[at + 1] || Number.NaN);
  };
  return checked({
    entries: number("entries"),
    softLimit: number("thresh2"),
    hardLimit: number("thresh3"),
    clearings: number("forced_gc_runs"),
    refusals: number("table_fulls"),
  });
}

function checked(load: TableLoad): TableLoad | null {
  return Object.values(load).every(Number.isFinite) ? load : null;
}
