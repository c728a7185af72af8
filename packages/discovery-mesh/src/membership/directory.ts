import type { AliveRecord, MemberRecord, SignedRecord, SignedRenewal } from "@lmserv/discovery-signing";
import { compareVersions } from "@lmserv/discovery-signing";
import type { Moment } from "./message.ts";

/** What is known of another member: the latest that it signed, and whether that still holds. */
export interface Entry {
  readonly id: string;
  readonly record: MemberRecord;
  readonly signed: SignedRecord;
  /** The latest renewal of the record; 0 and null before the first. */
  readonly beat: number;
  readonly renewal: SignedRenewal | null;
  /** `lost`: no sign of life came in time, or its last link broke. */
  readonly state: "alive" | "lost" | "left";
  /** How many members passed on the latest sign of life. */
  readonly hops: number;
  /** When its author gave the latest signed sign of life, on our clock. */
  readonly bornMs: number;
  /** When it was last known to be there: by that, or by its link. */
  readonly heardMs: number;
  /** When it is dropped, or forgotten if it was already. */
  readonly deadlineMs: number;
}

/** An entry whose member is there. */
export type AliveEntry = Entry & { readonly state: "alive"; readonly record: AliveRecord };

/** When a sign of life came, and how. */
export interface Arrival {
  readonly nowMs: number;
  readonly hops: number;
  /** How long it was under way. */
  readonly ageMs: number;
}

export interface DirectoryOptions {
  /** How many members are kept, besides us. */
  readonly maxMembers: number;
  /** How long one that left or was lost is remembered. */
  readonly graveMs: number;
}

/** The part of a member's time that has to be over before it is told anew of one with a link: more than one interval. */
const enough = 0.6;
/** Those that left or were lost, so that an old copy of what they said does not bring them back. */
const maxGraves = 256;

/** All other members: what counts is whatever is later, wherever it came from. */
export class Directory {
  readonly #options: DirectoryOptions;
  readonly #entries = new Map<string, Entry>();
  #alive = 0;

  constructor(options: DirectoryOptions) {
    this.#options = options;
  }

  get(id: string): Entry | undefined {
    return this.#entries.get(id);
  }

  all(): Iterable<Entry> {
    return this.#entries.values();
  }

  alive(): AliveEntry[] {
    return [...this.#entries.values()].filter(isAlive);
  }

  /** Those of which nothing is heard any more, and which may be there after all. */
  lost(): string[] {
    return [...this.#entries.values()].flatMap(({ id, state }) => (state === "lost" ? [id] : []));
  }

  /** Whether a record is later than what is known of its author. */
  isNewer(record: MemberRecord): boolean {
    const known = this.#entries.get(record.id);
    return known === undefined || compareVersions(record, known.record) > 0;
  }

  /** Whether another member has room. */
  hasRoomFor(id: string): boolean {
    return this.#entries.get(id)?.state === "alive" || this.#alive < this.#options.maxMembers;
  }

  /** Takes a record that is newer and authentic. */
  tell(record: MemberRecord, signed: SignedRecord, { nowMs, hops, ageMs }: Arrival): Entry {
    const { id, kind, ttlMs } = record;
    const bornMs = nowMs - ageMs;
    const holdsMs = bornMs + ttlMs;
    const state = kind === "left" ? "left" : holdsMs > nowMs ? "alive" : "lost";
    // A tombstone that is passed on for ever must not be remembered for ever.
    const deadlineMs = state === "alive" ? holdsMs : bornMs + this.#options.graveMs;
    const heardMs = bornMs;
    return this.#put({
      id,
      record,
      signed,
      beat: 0,
      renewal: null,
      state,
      hops,
      bornMs,
      heardMs,
      deadlineMs,
    });
  }

  /** Whether a renewal of the record that is known is later than what is known of its author. */
  isRenewedBy(id: string, beat: number): boolean {
    const known = this.#entries.get(id);
    return known !== undefined && known.state !== "left" && beat > known.beat;
  }

  /** Takes a renewal that is later and authentic; false when it comes too late. */
  renew(id: string, beat: number, renewal: SignedRenewal, { nowMs, hops, ageMs }: Arrival): boolean {
    const known = this.#entries.get(id);
    if (!known) return false;
    const bornMs = nowMs - ageMs;
    const isOver = bornMs + known.record.ttlMs <= nowMs;
    if (isOver || !this.hasRoomFor(id)) return false;
    // Who was lost begins anew: what we heard of it before counts no more.
    const heardMs = known.state === "alive" ? Math.max(known.heardMs, bornMs) : bornMs;
    const deadlineMs = heardMs + known.record.ttlMs;
    this.#put({ ...known, beat, renewal, state: "alive", hops, bornMs, heardMs, deadlineMs });
    return true;
  }

  /** Takes note of when a member was heard over its link; returns it when its time is told anew. */
  hear(id: string, heardMs: number, nowMs: number): AliveEntry | null {
    const known = this.#entries.get(id);
    if (!isAlive(known) || heardMs <= known.heardMs) return null;
    const { ttlMs } = known.record;
    const entry = { ...known, heardMs, deadlineMs: Math.max(known.deadlineMs, heardMs + ttlMs) };
    // Most of the time it holds for long enough.
    if (known.deadlineMs - nowMs >= ttlMs * enough) return null;
    this.#entries.set(id, entry);
    return entry;
  }

  /** Gives a member up; a later sign of life brings it back. */
  lose(id: string, nowMs: number): void {
    const known = this.#entries.get(id);
    if (known?.state !== "alive") return;
    this.#put({ ...known, state: "lost", deadlineMs: nowMs + this.#options.graveMs });
  }

  /** Gives up those whose time is over and forgets those remembered long enough; returns the former. */
  expire(nowMs: number): string[] {
    const over = [...this.#entries.values()].filter(({ deadlineMs }) => deadlineMs <= nowMs);
    for (const { id, state } of over) {
      if (state === "alive") this.lose(id, nowMs);
      else this.#entries.delete(id);
    }
    return over.flatMap(({ id, state }) => (state === "alive" ? [id] : []));
  }

  /** We were not there to hear anybody: everybody gets one more time to live. */
  grant(nowMs: number): void {
    for (const entry of this.alive()) {
      this.#entries.set(entry.id, { ...entry, deadlineMs: nowMs + entry.record.ttlMs });
    }
  }

  /** When `expire` has something to do next. */
  nextMs(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { deadlineMs } of this.#entries.values()) next = Math.min(next, deadlineMs);
    return next;
  }

  #put(entry: Entry): Entry {
    const before = this.#entries.get(entry.id);
    this.#alive += Number(entry.state === "alive") - Number(before?.state === "alive");
    this.#entries.set(entry.id, entry);
    if (entry.state !== "alive" && before?.state !== entry.state) this.#boundGraves();
    return entry;
  }

  #boundGraves(): void {
    if (this.#entries.size - this.#alive <= maxGraves) return;
    const graves = [...this.#entries.values()].filter(({ state }) => state !== "alive");
    const [oldest] = graves.sort((a, b) => a.deadlineMs - b.deadlineMs);
    if (oldest) this.#entries.delete(oldest.id);
  }
}

export function momentOf({ record: { epoch, seq }, beat }: Entry): Moment {
  return { epoch, seq, beat };
}

export function isAlive(entry: Entry | undefined): entry is AliveEntry {
  return entry?.state === "alive" && entry.record.kind === "alive";
}
