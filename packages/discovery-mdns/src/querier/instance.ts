import { isIPv6 } from "@lmserv/discovery-core/transport";
import type { Name } from "../dns/name.ts";
import type { Description } from "../service.ts";
import { flushGraceMs, goodbyeGraceMs, type Host } from "./host.ts";

/** Bound on an instance's sources: a host on the link answers on each of its few interfaces. */
const maxSources = 8;

/** Longest wait for the IPv4 address of a host that was heard over IPv6, in ms. */
export const maxPatienceMs = 500;

/** Bound on former SRV records: an instance has one, and two during a replacement. */
const maxFormer = 3;

/** Wait before each question for a new instance's missing records, in ms; then it is given up. */
const resolveWaitsMs = [0, 1_000, 2_000, 4_000, 8_000];
/** Wait for an answer to the last of them, in ms. */
const resolveLimitMs = 10_000;

/** Wait before each question for a doubted instance, in ms. */
const reconfirmWaitsMs = [0, 1_000, 1_000, 1_000, 1_000];
/** Time after which a silent doubted instance is gone, in ms; RFC 6762 section 10.4 allows 10 s. */
const reconfirmLimitMs = 4_500;
/** Time for which the questions of others may go unanswered, in ms (RFC 6762 section 10.5). */
const overhearLimitMs = 10_000;

const refreshes = 8;
const maxJitterMs = 6_000;
/** Wait for an answer before the question is repeated, in ms. */
const answerMs = 1_000;
/** Share of the lifetime, and bound in ms, by which the first refresh may be asked early. */
const slackPart = 1 / 15;
export const maxSlackMs = 4_000;
/** Time by which a further refresh may be asked early, in ms. */
const repeatSlackMs = 250;
const lastAskMs = resolveWaitsMs.reduce((sum, waitMs) => sum + waitMs, 0);

/** Content and time of an SRV record. */
export interface Location {
  /** The record's `recordKey`. */
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

/** Next action for an instance, with its time. */
export type Step =
  /** Due at `atMs`; from `earliestMs` on it may join others. */
  | { readonly kind: "ask"; readonly atMs: number; readonly earliestMs: number }
  | { readonly kind: "doubt"; readonly atMs: number }
  | { readonly kind: "gone"; readonly atMs: number; readonly reason: "goodbye" | "unreachable" }
  /** End without a report, after a lifetime of silence or no answer at all: the registry expires the node. */
  | { readonly kind: "lapse"; readonly atMs: number };

/** Service instance as one link knows it. */
export class Instance {
  readonly name: Name;
  /** Address that introduced it, whose quota it counts against. */
  readonly origin: string;
  readonly firstMs: number;
  /**
   * Sources of the packets that located it, with their times, latest last; addresses among them are proven
   * its own.
   */
  readonly #sources = new Map<string, number>();
  location: Location | null = null;
  /** Host of the location. */
  host: Host | null = null;
  /** Earlier SRV records that nothing has ended, the latest first. */
  #former: readonly Location[] = [];
  text: Text | null = null;
  /** Start and end of the PTR record's validity. */
  pointer: { readonly seenMs: number; readonly untilMs: number } = { seenMs: 0, untilMs: 0 };
  readonly #jitter: number;
  readonly #patienceEndMs: number;
  #resolving: Asks;
  #refreshed = 0;
  /** True after the first question for a sign of life. */
  wasRefreshed = false;
  /** True after the first answer to a question of ours. */
  hasAnswered = false;
  #askedMs = Number.NEGATIVE_INFINITY;
  #goodbyeMs: number | null = null;
  #overheard: { readonly sinceMs: number; questions: number } | null = null;
  #doubt: { readonly sinceMs: number; readonly asks: Asks } | null = null;

  /**
   * @param origin - Address that introduced it.
   * @param jitter - In [0, 1): spreads the questions for signs of life.
   * @param patienceMs - Wait for an IPv4 address of its host, in ms.
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
   * Takes an SRV record, a sign of life.
   *
   * @param flush - True if the record replaces all older ones (RFC 6762 section 10.2).
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

  /**
   * Takes the goodbye of an SRV record: an earlier one counts again, or the instance leaves (RFC 6762 section
   * 10.1).
   */
  takeBack(key: string, nowMs: number): void {
    const others = this.#former.filter((other) => other.key !== key);
    if (this.location?.key === key) {
      const next = others.find(({ seenMs, ttlMs }) => nowMs < seenMs + ttlMs);
      if (next) this.#resideAt(next, nowMs);
      else this.sayGoodbye(nowMs);
    }
    this.#former = others.filter((other) => other !== this.location);
  }

  /** Addresses that ever located it, the latest first. */
  get sources(): readonly string[] {
    return [...this.#sources.keys()].reverse();
  }

  /** Addresses that located it within its last lifetime. */
  get latestSources(): readonly string[] {
    const { seenMs, ttlMs } = this.location ?? { seenMs: 0, ttlMs: 0 };
    return this.sources.filter((address) => (this.#sources.get(address) ?? 0) > seenMs - ttlMs);
  }

  /** Takes a PTR record. It revokes a goodbye, but is no sign of life, since any host may repeat it. */
  point(nowMs: number, ttlMs: number): void {
    this.pointer = { seenMs: nowMs, untilMs: nowMs + ttlMs };
    this.#goodbyeMs = null;
  }

  /** True after a reconfirmation was requested, until the next sign of life. */
  get doubted(): boolean {
    return this.#doubt !== null;
  }

  /** Count of unanswered questions for a sign of life, since the last one or since the doubt began. */
  get askedInVain(): number {
    return this.#doubt ? this.#doubt.asks.count : this.#refreshed;
  }

  /** True after a goodbye that no record revoked. */
  get leaving(): boolean {
    return this.#goodbyeMs !== null;
  }

  isComplete(nowMs: number): boolean {
    if (!this.location || !this.text || this.patienceEndMs(nowMs) !== null) return false;
    return this.isReachable(nowMs);
  }

  /** True if an address of its host is valid at `atMs`. */
  isReachable(atMs: number): boolean {
    return (this.host?.addresses(atMs) ?? []).length > 0;
  }

  /**
   * End of the wait for an IPv4 address that is still likely to come, or null.
   *
   * Some hosts send only their IPv6 addresses over IPv6. A node without an identity takes that of its best
   * address, and would change it when a better address came.
   */
  patienceEndMs(nowMs: number): number | null {
    if (nowMs >= this.#patienceEndMs || !this.host || this.text?.description.id) return null;
    return this.host.addresses(nowMs).every(isIPv6) ? this.#patienceEndMs : null;
  }

  /** True if it is asked for signs of life only, and not in a series of doubling intervals. */
  isRefreshed(nowMs: number): boolean {
    return !this.#doubt && (this.#resolving.nextMs() === null || this.isComplete(nowMs));
  }

  #resideAt(location: Location, nowMs: number): void {
    // Another target makes the host's addresses a new question (RFC 6762 section 5.2).
    if (this.location?.target !== location.target) this.#resolving = new Asks(nowMs, resolveWaitsMs);
    this.location = location;
  }

  sayGoodbye(nowMs: number): void {
    this.#goodbyeMs ??= nowMs;
  }

  /** Counts a question of another host: two without an answer in 10 s cast doubt (RFC 6762 section 10.5). */
  overhear(nowMs: number): void {
    const isRecent = this.#overheard && nowMs - this.#overheard.sinceMs < overhearLimitMs;
    if (!this.#overheard || !isRecent) this.#overheard = { sinceMs: nowMs, questions: 0 };
    this.#overheard.questions += 1;
  }

  doubt(nowMs: number): void {
    this.#overheard = null;
    this.#doubt ??= { sinceMs: nowMs, asks: new Asks(nowMs, reconfirmWaitsMs) };
  }

  /** Records that a question for it was sent. */
  asked(nowMs: number): void {
    this.#askedMs = nowMs;
    if (this.#doubt) this.#doubt.asks.asked(nowMs);
    else if (!this.isRefreshed(nowMs)) this.#resolving.asked(nowMs);
    else {
      this.#refreshed += 1;
      this.wasRefreshed = true;
    }
  }

  /** @param ttlMs - Longest lifetime of a sign of life. */
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
    // A late timer, as after a suspension, does not shorten the interval.
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
 * Time of the next refresh of an SRV record after the latest sign of life; infinite after eight.
 *
 * They begin at three quarters of `ttlMs`, or earlier if less than 6 s would be left. They follow every 1 to
 * 2 s. RFC 6762 section 5.2 asks four times from 80 % on. If a fifth of all packets is lost, one series of
 * eight in 3,500 stays unanswered, instead of one in 60. The jitter is a tenth of the lifetime, so that one
 * host's question serves all others.
 */
function refreshAtMs(ttlMs: number, asked: number, jitter: number): number {
  if (asked >= refreshes) return Number.POSITIVE_INFINITY;
  const earliest = Math.min(ttlMs * 0.75, Math.max(ttlMs - 6_000, ttlMs / 4));
  const start = earliest + Math.min(ttlMs * 0.1, maxJitterMs) * jitter;
  const intervalMs = Math.min(Math.max((ttlMs - start) / refreshes, 1_010), 2_000);
  return start + asked * intervalMs;
}

/** Series of a few questions with given waits. */
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

  /** Time of the next question, or null after the last. */
  nextMs(): number | null {
    const waitMs = this.#waitsMs[this.#asked];
    return waitMs === undefined ? null : this.#lastMs + waitMs;
  }

  asked(nowMs: number): void {
    this.#asked += 1;
    this.#lastMs = nowMs;
  }
}
