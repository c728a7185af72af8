import { Deadlines, type DiscoveryErrorCode } from "@lmserv/discovery-core";
import type { AliveRecord, Version } from "@lmserv/discovery-identity";
import type { Accepted } from "./inspector.ts";

/** A node that the engine told of. */
export interface Entry extends Accepted {
  readonly key: string;
  readonly record: AliveRecord;
  /** Why it is listed from memory, or null while the engine vouches for it. */
  stale: DiscoveryErrorCode | null;
  /** Whether an engine that came back does not know it. */
  isMissing: boolean;
  /** Whether the engine has something else in its place. */
  isContested: boolean;
}

export interface RosterOptions {
  readonly maxNodes: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly on: {
    readonly alive: (entry: Entry) => void;
    readonly gone: (entry: Entry, reason: "goodbye" | "unreachable") => void;
    /** Its grace is over: `answer` decides. */
    readonly doubted: (entry: Entry) => void;
  };
}

/** How many lifetimes nodes stay listed on the word of an engine that is lost. */
const graceLifetimes = 2;
/** An announcer looks after its value once in a lifetime, and may be slow. */
const contestLifetimes = 1.5;
/** A machine has a few servers, a gateway speaks for some hundred; more of one key is a flood. */
const maxNodesPerMember = 1_000;
/** Enough to refuse what was said before to the nodes that went last. */
const maxRemembered = 1_000;

/**
 * Who is there, as the engine has it, and as long as it is lost from memory.
 *
 * Synchronous and timerless: what happens and the time go in, what changes comes out.
 */
export class Roster {
  readonly #options: RosterOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #deadlines = new Deadlines();
  readonly #counts = new Map<string, number>();
  /** What those said last that are gone, the latest last. */
  readonly #remembered = new Map<string, Accepted>();
  /** Why the engine is lost, or null while it is there. */
  #lost: DiscoveryErrorCode | null = null;
  /** Why it was lost last, and when it came back from that. */
  #lastLoss: DiscoveryErrorCode = "MEDIUM_UNREACHABLE";
  #returnedMs = Number.NEGATIVE_INFINITY;

  constructor(options: RosterOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  list(): IterableIterator<Entry> {
    return this.#entries.values();
  }

  /** What was accepted last under a key, also when it is gone. */
  latest(key: string): Accepted | null {
    return this.#entries.get(key) ?? this.#remembered.get(key) ?? null;
  }

  /** When something happens by itself, in monotonic ms, or null. */
  nextDeadlineMs(): number | null {
    return this.#deadlines.first()?.atMs ?? null;
  }

  /** Why a newcomer cannot be taken, or null. */
  refusalOf(key: string, memberId: string): "full" | "quota" | null {
    if (this.#entries.has(key)) return null;
    if (this.#entries.size >= this.#options.maxNodes) return "full";
    return (this.#counts.get(memberId) ?? 0) >= maxNodesPerMember ? "quota" : null;
  }

  /** A verified announcement. */
  put(key: string, accepted: Accepted, record: AliveRecord): void {
    const version: Version = { epoch: record.epoch, seq: record.seq };
    const entry: Entry = {
      key,
      value: accepted.value,
      version,
      record,
      stale: null,
      isMissing: false,
      isContested: false,
    };
    if (!this.#entries.has(key)) this.#count(record.id, 1);
    this.#remembered.delete(key);
    this.#entries.set(key, entry);
    this.#deadlines.delete(key);
    this.#options.on.alive(entry);
  }

  /** The same announcement again; tells whether it is known. */
  confirm(key: string, value: string): boolean {
    const entry = this.#entries.get(key);
    if (entry?.value !== value) return false;
    entry.isContested = false;
    this.#deadlines.delete(key);
    if (entry.stale === null) return true;
    entry.stale = null;
    entry.isMissing = false;
    this.#options.on.alive(entry);
    return true;
  }

  /**
   * The engine dropped it without a goodbye. One that was away itself may have let leases run out that nobody could
   * renew: it is given the time to hear of them again.
   */
  drop(key: string, nowMs: number): void {
    const entry = this.#entries.get(key);
    if (!entry || entry.isMissing) return;
    if (nowMs - this.#returnedMs >= entry.record.ttlMs) this.remove(key, "unreachable");
    else this.#miss(entry, nowMs);
  }

  remove(key: string, reason: "goodbye" | "unreachable"): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#entries.delete(key);
    this.#deadlines.delete(key);
    this.#count(entry.record.id, -1);
    this.#remember(entry);
    this.#options.on.gone(entry, reason);
  }

  /** Somebody wrote over it: who announced it puts it back within a lifetime, unless nobody does any more. */
  contest(key: string, nowMs: number): void {
    const entry = this.#entries.get(key);
    if (!entry || entry.isContested) return;
    entry.isContested = true;
    if (entry.stale !== null) return;
    this.#deadlines.set(key, nowMs + contestLifetimes * entry.record.ttlMs);
  }

  /** The engine is lost: nothing is known, and nobody is dead for that. */
  lose(code: DiscoveryErrorCode, nowMs: number): void {
    this.#lost = code;
    this.#lastLoss = code;
    for (const entry of this.#entries.values()) {
      // One that is listed from memory already gets no second grace from an engine that comes and goes.
      if (entry.stale !== null) continue;
      entry.stale = code;
      this.#deadlines.set(entry.key, nowMs + graceLifetimes * entry.record.ttlMs);
      this.#options.on.alive(entry);
    }
  }

  /**
   * The engine is there and knows these and no others. One that came back, perhaps without its data, is given a
   * lifetime to hear of the rest again.
   */
  reconcile(present: ReadonlySet<string>, nowMs: number): void {
    const wasLost = this.#lost !== null;
    this.#lost = null;
    if (wasLost) this.#returnedMs = nowMs;
    for (const entry of [...this.#entries.values()]) {
      if (present.has(entry.key) || entry.isMissing) continue;
      if (entry.stale === null) this.drop(entry.key, nowMs);
      else this.#miss(entry, nowMs);
    }
  }

  /** Ends, or doubts, whatever is due. */
  expire(nowMs: number): void {
    for (let due = this.#deadlines.first(); due && due.atMs <= nowMs; due = this.#deadlines.first()) {
      this.#deadlines.delete(due.key);
      const entry = this.#entries.get(due.key);
      if (!entry) continue;
      if (this.#lost === null) this.remove(entry.key, "unreachable");
      else this.#options.on.doubted(entry);
    }
  }

  /** Whether the answer to a doubt still matters. */
  isDoubted(entry: Entry): boolean {
    return this.#lost !== null && entry.stale !== null && this.#entries.get(entry.key) === entry;
  }

  /** Whether a doubted node answers where it should; one that does is asked again later. */
  answer(entry: Entry, isAlive: boolean, nowMs: number): void {
    if (!this.isDoubted(entry)) return;
    if (!isAlive) return this.remove(entry.key, "unreachable");
    const pauseMs = graceLifetimes * entry.record.ttlMs * (0.8 + 0.4 * this.#options.random());
    this.#deadlines.set(entry.key, nowMs + pauseMs);
  }

  /** It is listed from memory for one lifetime more, in which its announcer should come back. */
  #miss(entry: Entry, nowMs: number): void {
    const wasFresh = entry.stale === null;
    entry.isMissing = true;
    entry.stale ??= this.#lastLoss;
    this.#deadlines.delete(entry.key);
    this.#deadlines.set(entry.key, nowMs + entry.record.ttlMs);
    if (wasFresh) this.#options.on.alive(entry);
  }

  #count(memberId: string, change: number): void {
    const count = (this.#counts.get(memberId) ?? 0) + change;
    if (count > 0) this.#counts.set(memberId, count);
    else this.#counts.delete(memberId);
  }

  #remember({ key, value, version }: Entry): void {
    this.#remembered.set(key, { value, version });
    if (this.#remembered.size <= maxRemembered) return;
    const [oldest] = this.#remembered.keys();
    if (oldest !== undefined) this.#remembered.delete(oldest);
  }
}
