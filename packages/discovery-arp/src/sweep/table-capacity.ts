/** Fill level of the kernel's table of IPv4 neighbors, which containers share. */
export interface TableLoad {
  /** Count of all entries, also permanent ones, which take no room from others. */
  readonly entries: number;
  /** Limit above which the kernel removes entries that are not permanent (`gc_thresh2`). */
  readonly softLimit: number;
  /** Limit of entries that are not permanent (`gc_thresh3`). */
  readonly hardLimit: number;
  /** Count of these clearings since the machine started. */
  readonly clearings: number;
  /** Count of refused entries. */
  readonly refusals: number;
}

export type TableLimits = Pick<TableLoad, "softLimit" | "hardLimit">;

/** Entries left free for the other programs of the machine. */
export const reserve = 32;
/** Entries tried beyond the limit: they displace as many, of which the kernel takes the oldest. */
const trial = 32;
/** Time in ms within which the kernel removes failed entries, our own included. */
const leftoversMs = 16_000;
/** Shortest interval between two clearings of a full table, in ms. */
const clearingEveryMs = 5_000;

/** Computes how many new entries the table takes without harm to others. */
export class TableCapacity {
  #latest: TableLoad | null = null;
  /** End of the rest after a clearing by the kernel; each rest is twice as long. */
  #restUntilMs = Number.NEGATIVE_INFINITY;
  #restMs = clearingEveryMs;
  /** Time at which the table became full, or null. */
  #fullMs: number | null = null;

  /** Count of entries that may be made now. */
  room(load: TableLoad, nowMs: number): number {
    const { entries, softLimit, clearings, refusals } = load;
    const isFirst = this.#latest === null;
    const before = this.#latest ?? load;
    this.#latest = load;
    if (clearings !== before.clearings || refusals !== before.refusals) this.#rest(nowMs);
    const room = softLimit - reserve - entries;
    this.#fullMs = room >= trial ? null : (this.#fullMs ?? (isFirst ? Number.NEGATIVE_INFINITY : nowMs));
    if (this.#fullMs === null) return room;
    // Our own leftovers go away; the rest may be permanent, which the kernel does not tell. A few more
    // entries show it, unless the kernel has just cleared the table.
    const isOthers = nowMs - this.#fullMs > leftoversMs;
    return isOthers && nowMs > this.#restUntilMs ? trial : 0;
  }

  #rest(nowMs: number): void {
    this.#restUntilMs = nowMs + this.#restMs;
    this.#restMs *= 2;
  }
}

/** Parses `/proc/net/stat/arp_cache`: a header and, in hexadecimal, a row for each processor. */
export function parseArpCacheStat(text: string, limits: TableLimits): TableLoad | null {
  const [header = "", ...rows] = text.trimEnd().split("\n");
  const names = header.trim().split(/\s+/);
  const column = (name: string): number[] =>
    rows.map((row) => Number.parseInt(row.trim().split(/\s+/)[names.indexOf(name)] ?? "", 16));
  const sum = (name: string): number => column(name).reduce((total, count) => total + count, 0);
  // Each row has the entries of all processors; the counters are each processor's own.
  const [entries = Number.NaN] = column("entries");
  return checked({ entries, ...limits, clearings: sum("forced_gc_runs"), refusals: sum("table_fulls") });
}

/** Parses the output of `ip -s ntable show name arp_cache`, which containers can run, too. */
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
