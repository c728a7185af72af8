import { isIPv6 } from "@lmserv/discovery-core/transport";
import type { Name } from "../dns/name.ts";
import type { Description } from "../service.ts";
import { flushGraceMs, goodbyeGraceMs, type Host } from "./host.ts";

/** A host on the same link with several interfaces answers on each; more than these few is a flood. */
const maxSources = 8;

/** How long the IPv4 address of a host that was heard over IPv6 is waited for, at most, in ms. */
export const maxPatienceMs = 500;

/** An instance has one SRV record, and while it is being replaced two; more is a flood. */
const maxFormer = 3;

/** Questions for what is missing of a new instance: the waits before each, in ms; then it is given up. */
const resolveWaitsMs = [0, 1_000, 2_000, 4_000, 8_000];
/** How long the last of them is waited for, in ms. */
const resolveLimitMs = 10_000;

/** Questions for an instance that somebody doubts: the waits before each, in ms. */
const reconfirmWaitsMs = [0, 1_000, 1_000, 1_000, 1_000];
/** When a doubted instance that did not answer is gone; RFC 6762 section 10.4 allows 10 s. */
const reconfirmLimitMs = 4_500;
/** How long the questions of others may go unanswered, in ms (RFC 6762 section 10.5). */
const overhearLimitMs = 10_000;

const refreshes = 8;
const maxJitterMs = 6_000;
/** How long an answer is waited for before the question is repeated, in ms. */
const answerMs = 1_000;
/** How much earlier the first question for a sign of life may be asked, as part of the lifetime and in ms. */
const slackPart = 1 / 15;
export const maxSlackMs = 4_000;
/** How much earlier one of those that follow may be, in ms. */
const repeatSlackMs = 250;
const lastAskMs = resolveWaitsMs.reduce((sum, waitMs) => sum + waitMs, 0);

/** What an SRV record said, and when. */
export interface Location {
  /** Its `recordKey`. */
  readonly key: string;
  readonly port: number;
  readonly target: Name;
  readonly ttlMs: number;
  readonly seenMs: number;
}

export interface Text {
  readonly description: Description;
  readonly untilMs: number;
}

/** What is to be done about an instance, and when. */
export type Step =
  /** Due at `atMs`; from `earliestMs` on it may go along with others. */
  | { readonly kind: "ask"; readonly atMs: number; readonly earliestMs: number }
  | { readonly kind: "doubt"; readonly atMs: number }
  | { readonly kind: "gone"; readonly atMs: number; readonly reason: "goodbye" | "unreachable" }
  /** Silent for its whole lifetime, or never resolved: not worth a word, the registry knows. */
  | { readonly kind: "lapse"; readonly atMs: number };

/** One service instance as heard on one link. */
export class Instance {
  readonly name: Name;
  /** The address that first spoke of it: whose quota it counts against. */
  readonly origin: string;
  readonly firstMs: number;
  /** Where packets that located it came from, and when, the latest last; while they are announced, they are its own. */
  readonly #sources = new Map<string, number>();
  location: Location | null = null;
  /** That of the location. */
  host: Host | null = null;
  /** SRV records from before that nothing has ended, the latest first. */
  #former: readonly Location[] = [];
  text: Text | null = null;
  /** Since and until when its PTR record counts. */
  pointer: { readonly seenMs: number; readonly untilMs: number } = { seenMs: 0, untilMs: 0 };
  readonly #jitter: number;
  readonly #patienceEndMs: number;
  #resolving: Asks;
  #refreshed = 0;
  /** Whether it was ever asked for a sign of life. */
  wasRefreshed = false;
  /** Whether it ever answered a question of ours. */
  hasAnswered = false;
  #askedMs = Number.NEGATIVE_INFINITY;
  #goodbyeMs: number | null = null;
  #overheard: { readonly sinceMs: number; questions: number } | null = null;
  #doubt: { readonly sinceMs: number; readonly asks: Asks } | null = null;

  /**
   * @param origin - The address that first spoke of it.
   * @param jitter - In [0, 1): spreads the questions for signs of life.
   * @param patienceMs - How long an IPv4 address of its host is waited for.
   */
  constructor(name: Name, origin: string, nowMs: number, jitter: number, patienceMs: number) {
    this.name = name;
    this.origin = origin;
    this.firstMs = nowMs;
    this.#resolving = new Asks(nowMs, resolveWaitsMs);
    this.#jitter = jitter;
    this.#patienceEndMs = nowMs + patienceMs;
  }

  /**
   * Its SRV record was heard: it lives.
   *
   * @param flush - Whether the record takes the place of all that are older (RFC 6762 section 10.2).
   */
  locate(location: Location, flush: boolean, source: string): void {
    const { key, seenMs } = location;
    const before = [...(this.location ? [this.location] : []), ...this.#former];
    const kept = before.filter((other) => other.key !== key && !(flush && isFlushed(other, seenMs)));
    this.#former = kept.slice(0, maxFormer);
    this.#resideAt(location, seenMs);
    this.hasAnswered ||= seenMs - this.#askedMs < answerMs;
    this.#sources.delete(source);
    this.#sources.set(source, location.seenMs);
    const [oldest] = this.#sources.keys();
    if (this.#sources.size > maxSources && oldest !== undefined) this.#sources.delete(oldest);
    this.#overheard = null;
    this.#refreshed = 0;
    this.#goodbyeMs = null;
    this.#doubt = null;
  }

  /** An SRV record was taken back: the instance is where another says, or leaves with the last (RFC 6762 section 10.1). */
  takeBack(key: string, nowMs: number): void {
    const others = this.#former.filter((other) => other.key !== key);
    if (this.location?.key === key) {
      const next = others.find(({ seenMs, ttlMs }) => nowMs < seenMs + ttlMs);
      if (next) this.#resideAt(next, nowMs);
      else this.sayGoodbye(nowMs);
    }
    this.#former = others.filter((other) => other !== this.location);
  }

  /** The addresses that ever located it, the latest first. */
  get sources(): readonly string[] {
    return [...this.#sources.keys()].reverse();
  }

  /** Those of them that did within its last lifetime. */
  get latestSources(): readonly string[] {
    const { seenMs, ttlMs } = this.location ?? { seenMs: 0, ttlMs: 0 };
    return this.sources.filter((address) => (this.#sources.get(address) ?? 0) > seenMs - ttlMs);
  }

  /** Its PTR record was heard, which anybody may repeat: no sign of life, but the end of a goodbye. */
  point(nowMs: number, ttlMs: number): void {
    this.pointer = { seenMs: nowMs, untilMs: nowMs + ttlMs };
    this.#goodbyeMs = null;
  }

  /** Whether somebody doubts that it is still there. */
  get doubted(): boolean {
    return this.#doubt !== null;
  }

  /** How many questions for a sign of life have brought none, since it was heard of last or since somebody doubts it. */
  get askedInVain(): number {
    return this.#doubt ? this.#doubt.asks.count : this.#refreshed;
  }

  /** Whether it said goodbye and nobody contradicted. */
  get leaving(): boolean {
    return this.#goodbyeMs !== null;
  }

  isComplete(nowMs: number): boolean {
    if (!this.location || !this.text || this.patienceEndMs(nowMs) !== null) return false;
    return this.isReachable(nowMs);
  }

  /** Whether an address of its host is known at `atMs`. */
  isReachable(atMs: number): boolean {
    return (this.host?.addresses(atMs) ?? []).length > 0;
  }

  /**
   * Until when an IPv4 address is still likely to come, or null.
   *
   * Some hosts tell over IPv6 of their IPv6 addresses only. A node without an identity has that of its best
   * address, and would become another one when the better address came.
   */
  patienceEndMs(nowMs: number): number | null {
    if (nowMs >= this.#patienceEndMs || !this.host || this.text?.description.id) return null;
    return this.host.addresses(nowMs).every(isIPv6) ? this.#patienceEndMs : null;
  }

  /** Whether it is asked for a sign of life only, and not in a series whose intervals double. */
  isRefreshed(nowMs: number): boolean {
    return !this.#doubt && (this.#resolving.nextMs() === null || this.isComplete(nowMs));
  }

  #resideAt(location: Location, nowMs: number): void {
    // Its host's addresses have become of interest: a question of its own (RFC 6762 section 5.2).
    if (this.location?.target !== location.target) this.#resolving = new Asks(nowMs, resolveWaitsMs);
    this.location = location;
  }

  sayGoodbye(nowMs: number): void {
    this.#goodbyeMs ??= nowMs;
  }

  /** Another host asked for it: two questions without an answer in 10 s cast doubt (RFC 6762 section 10.5). */
  overhear(nowMs: number): void {
    const isRecent = this.#overheard && nowMs - this.#overheard.sinceMs < overhearLimitMs;
    if (!this.#overheard || !isRecent) this.#overheard = { sinceMs: nowMs, questions: 0 };
    this.#overheard.questions += 1;
  }

  doubt(nowMs: number): void {
    this.#overheard = null;
    this.#doubt ??= { sinceMs: nowMs, asks: new Asks(nowMs, reconfirmWaitsMs) };
  }

  /** Says that it was asked for what is missing, or for a sign of life. */
  asked(nowMs: number): void {
    this.#askedMs = nowMs;
    if (this.#doubt) this.#doubt.asks.asked(nowMs);
    else if (!this.isRefreshed(nowMs)) this.#resolving.asked(nowMs);
    else {
      this.#refreshed += 1;
      this.wasRefreshed = true;
    }
  }

  /** @param ttlMs - How long a sign of life counts, at most. */
  nextStep(ttlMs: number, nowMs: number): Step {
    if (this.#goodbyeMs !== null) {
      return { kind: "gone", atMs: this.#goodbyeMs + goodbyeGraceMs, reason: "goodbye" };
    }
    if (this.#doubt) return nextReconfirmation(this.#doubt.sinceMs, this.#doubt.asks);
    const resolveMs = this.isComplete(nowMs) ? null : this.#resolving.nextMs();
    if (resolveMs !== null) return askAt(resolveMs);
    if (!this.location || !this.text)
      return { kind: "lapse", atMs: this.firstMs + lastAskMs + resolveLimitMs };
    const refresh = this.#nextRefresh(this.location, ttlMs);
    const doubt = this.#nextDoubt();
    return doubt && doubt.atMs < refresh.atMs ? doubt : refresh;
  }

  #nextDoubt(): Step | null {
    if (!this.#overheard || this.#overheard.questions < 2) return null;
    return { kind: "doubt", atMs: this.#overheard.sinceMs + overhearLimitMs };
  }

  #nextRefresh(location: Location, ttlMs: number): Step {
    const lifeMs = Math.min(location.ttlMs, ttlMs);
    const askMs = refreshAtMs(lifeMs, this.#refreshed, this.#jitter);
    // Whoever comes late, after a suspension, does not ask faster.
    const restedMs = this.#askedMs + answerMs;
    if (askMs >= lifeMs) return { kind: "lapse", atMs: Math.max(location.seenMs + lifeMs, restedMs) };
    const atMs = Math.max(location.seenMs + askMs, restedMs);
    const slackMs = this.#refreshed === 0 ? Math.min(lifeMs * slackPart, maxSlackMs) : repeatSlackMs;
    return { kind: "ask", atMs, earliestMs: Math.max(atMs - slackMs, restedMs) };
  }
}

function isFlushed({ seenMs }: Location, nowMs: number): boolean {
  return nowMs - seenMs > flushGraceMs;
}

function askAt(atMs: number): Step {
  return { kind: "ask", atMs, earliestMs: atMs };
}

function nextReconfirmation(sinceMs: number, asks: Asks): Step {
  const askMs = asks.nextMs();
  if (askMs !== null) return askAt(askMs);
  return { kind: "gone", atMs: sinceMs + reconfirmLimitMs, reason: "unreachable" };
}

/**
 * When, after it was last heard of, an SRV record is asked for again: from three quarters of `ttlMs` on, or earlier where
 * less than 6 s would be left, every 1 to 2 s and eight times at most; then never.
 *
 * RFC 6762 section 5.2 asks four times from 80 % on; eight questions make one in 3,500 go unanswered when a fifth of all
 * packets is lost, instead of one in 60. The jitter, of a tenth of the lifetime, lets one host ask for all of them.
 */
function refreshAtMs(ttlMs: number, asked: number, jitter: number): number {
  if (asked >= refreshes) return Number.POSITIVE_INFINITY;
  const earliest = Math.min(ttlMs * 0.75, Math.max(ttlMs - 6_000, ttlMs / 4));
  const start = earliest + Math.min(ttlMs * 0.1, maxJitterMs) * jitter;
  const intervalMs = Math.min(Math.max((ttlMs - start) / refreshes, 1_010), 2_000);
  return start + asked * intervalMs;
}

/** A few questions, each a while after the one before. */
class Asks {
  readonly #waitsMs: readonly number[];
  #lastMs: number;
  #asked = 0;

  constructor(startMs: number, waitsMs: readonly number[]) {
    this.#lastMs = startMs;
    this.#waitsMs = waitsMs;
  }

  get count(): number {
    return this.#asked;
  }

  /** When the next is due, or null after the last. */
  nextMs(): number | null {
    const waitMs = this.#waitsMs[this.#asked];
    return waitMs === undefined ? null : this.#lastMs + waitMs;
  }

  asked(nowMs: number): void {
    this.#asked += 1;
    this.#lastMs = nowMs;
  }
}
