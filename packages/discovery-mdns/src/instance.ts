import {
  Asks,
  goodbyeGraceMs,
  reconfirmLimitMs,
  reconfirmWaitsMs,
  refreshAtMs,
  resolveLimitMs,
  resolveWaitsMs,
} from "./schedule.ts";
import type { Description } from "./service.ts";
import type { Name } from "./wire/name.ts";

/** What an SRV record said, and the packet that brought it. */
export interface Location {
  readonly port: number;
  readonly target: Name;
  readonly ttlMs: number;
  readonly seenMs: number;
  /** The address that the packet came from. */
  readonly source: string;
}

export interface Text {
  readonly description: Description;
  readonly untilMs: number;
}

/** What is to be done about an instance, and when. */
export type Step =
  | { readonly kind: "ask"; readonly atMs: number }
  | { readonly kind: "gone"; readonly atMs: number; readonly reason: "goodbye" | "unreachable" }
  /** Silent for its whole lifetime, or never resolved: not worth a word, the registry knows. */
  | { readonly kind: "lapse"; readonly atMs: number };

/** One service instance as heard on one link. */
export class Instance {
  readonly name: Name;
  location: Location | null = null;
  text: Text | null = null;
  /** Since and until when its PTR record counts. */
  pointer: { readonly seenMs: number; readonly untilMs: number } = { seenMs: 0, untilMs: 0 };
  readonly #jitter: number;
  readonly #firstMs: number;
  #resolving: Asks;
  #refreshed = 0;
  #goodbyeMs: number | null = null;
  #doubt: { readonly sinceMs: number; readonly asks: Asks } | null = null;

  constructor(name: Name, nowMs: number, jitter: number) {
    this.name = name;
    this.#firstMs = nowMs;
    this.#resolving = new Asks(nowMs, resolveWaitsMs);
    this.#jitter = jitter;
  }

  /** Its SRV record was heard: it lives. */
  locate(location: Location): void {
    this.location = location;
    this.#refreshed = 0;
    this.#goodbyeMs = null;
    this.#doubt = null;
  }

  /** Its PTR record was heard, which anybody may repeat: no sign of life, but the end of a goodbye. */
  point(nowMs: number, ttlMs: number): void {
    this.pointer = { seenMs: nowMs, untilMs: nowMs + ttlMs };
    this.#goodbyeMs = null;
  }

  /** Whether it said goodbye and nobody contradicted. */
  get leaving(): boolean {
    return this.#goodbyeMs !== null;
  }

  sayGoodbye(nowMs: number): void {
    this.#goodbyeMs ??= nowMs;
  }

  doubt(nowMs: number): void {
    this.#doubt ??= { sinceMs: nowMs, asks: new Asks(nowMs, reconfirmWaitsMs) };
  }

  /** Says that it was asked for what is missing, or for a sign of life. */
  asked(nowMs: number, complete: boolean): void {
    if (this.#doubt) this.#doubt.asks.asked(nowMs);
    else if (!complete && this.#resolving.nextMs() !== null) this.#resolving.asked(nowMs);
    else this.#refreshed += 1;
  }

  /**
   * @param ttlMs - How long a sign of life counts, at most.
   * @param complete - Whether nothing is missing that the node is made of.
   */
  nextStep(ttlMs: number, complete: boolean): Step {
    if (this.#goodbyeMs !== null) {
      return { kind: "gone", atMs: this.#goodbyeMs + goodbyeGraceMs, reason: "goodbye" };
    }
    if (this.#doubt) return nextReconfirmation(this.#doubt.sinceMs, this.#doubt.asks);
    const resolveMs = complete ? null : this.#resolving.nextMs();
    if (resolveMs !== null) return { kind: "ask", atMs: resolveMs };
    if (!this.location || !this.text)
      return { kind: "lapse", atMs: this.#firstMs + lastAskMs + resolveLimitMs };
    return this.#nextRefresh(this.location, ttlMs);
  }

  #nextRefresh(location: Location, ttlMs: number): Step {
    const lifeMs = Math.min(location.ttlMs, ttlMs);
    const askMs = refreshAtMs(lifeMs, this.#refreshed, this.#jitter);
    if (askMs < lifeMs) return { kind: "ask", atMs: location.seenMs + askMs };
    return { kind: "lapse", atMs: location.seenMs + lifeMs };
  }
}

const lastAskMs = resolveWaitsMs.reduce((sum, waitMs) => sum + waitMs, 0);

function nextReconfirmation(sinceMs: number, asks: Asks): Step {
  const askMs = asks.nextMs();
  if (askMs !== null) return { kind: "ask", atMs: askMs };
  return { kind: "gone", atMs: sinceMs + reconfirmLimitMs, reason: "unreachable" };
}
