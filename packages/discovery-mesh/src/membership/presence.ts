import type { MemberRecord, SignedRecord, SignedRenewal } from "@lmserv/discovery-identity";
import type { LinkBook } from "./link-book.ts";
import type { OwnRecord, Statement } from "./own-record.ts";
import type { OwnMoment } from "./sync.ts";
import type { Timing } from "./timing.ts";

export interface PresenceOptions {
  readonly own: OwnRecord;
  readonly links: LinkBook;
  readonly timing: Timing;
  readonly random: () => number;
  readonly startMs: number;
  /** Whether a peer wants our signs of life signed, to pass them on. */
  readonly isWantedBy: (peer: string) => boolean;
  /** Another process has our identity (true), or has it no longer. */
  readonly onConflict: (isOn: boolean) => void;
}

/** What we say to all peers: what we are, that we live, and goodbye. */
export class Presence {
  readonly #options: PresenceOptions;
  #renewMs: number;
  #renewedMs = Number.NEGATIVE_INFINITY;
  /** When everybody is sent a signed sign of life next. */
  #assureMs: number;
  /** Since when another process has our identity, as far as we know; we say nothing then. */
  #quietSinceMs: number | null = null;
  #hasLeft = false;

  constructor(options: PresenceOptions) {
    this.#options = options;
    this.#renewMs = this.#afterRenewal(options.startMs);
    this.#assureMs = options.startMs + options.timing.assureMs;
  }

  /** What we hold of ourselves. */
  get moment(): OwnMoment {
    const { id, moment } = this.#options.own;
    return { id, moment, isQuiet: this.#quietSinceMs !== null };
  }

  get epoch(): number {
    return this.#options.own.epoch;
  }

  /** @throws {RangeError} when it takes more than a record may. */
  say(statement: Statement): void {
    this.#publish(this.#options.own.say(statement));
  }

  leave(): void {
    if (!this.#hasLeft) this.#publish(this.#options.own.leave());
    this.#hasLeft = true;
  }

  /** Tells a new peer who we are, with a sign of life that is later than all it may have heard of. */
  introduce(peer: string, nowMs: number): void {
    const { own, links } = this.#options;
    if (this.#quietSinceMs !== null) this.#quietSinceMs = nowMs;
    else if (own.signed && !this.#hasLeft) {
      links.sendTo(peer, { type: "record", signed: own.signed, hops: 0, ageMs: 0 }, recordKey);
      links.sendTo(peer, { type: "renewal", signed: this.#sign(nowMs), hops: 0, ageMs: 0 }, renewalKey);
    }
  }

  /** Gives a peer that wants it a signed sign of life, to begin with: no other one than its fellows have just got. */
  assure(peer: string, nowMs: number): void {
    const { own, links, timing } = this.#options;
    if (this.#quietSinceMs !== null || this.#hasLeft || own.signed === null) return;
    const isYoung = nowMs - this.#renewedMs < timing.renewMs / 2;
    const signed = (isYoung && own.renewal) || this.#sign(nowMs);
    const ageMs = Math.round(nowMs - this.#renewedMs);
    links.sendTo(peer, { type: "renewal", signed, hops: 0, ageMs }, renewalKey);
  }

  /** Somebody holds a record in our name. */
  meet(record: MemberRecord, nowMs: number): void {
    const encounter = this.#options.own.meet(record);
    if (encounter === "conflict") this.yield(nowMs);
    else if (encounter === "outbid" && this.#quietSinceMs === null && !this.#hasLeft) {
      this.#publish(this.#options.own.outbid());
    }
  }

  /** Gives way to another process with our identity. */
  yield(nowMs: number): void {
    if (this.#quietSinceMs === null) this.#options.onConflict(true);
    this.#quietSinceMs = nowMs;
  }

  tick(nowMs: number): void {
    const { own } = this.#options;
    if (this.#hasLeft) return;
    if (this.#quietSinceMs !== null) return this.#resume(nowMs);
    if (this.#renewMs > nowMs) return;
    this.#renewMs = this.#afterRenewal(nowMs);
    const isForAll = nowMs >= this.#assureMs;
    if (isForAll) this.#assureMs = nowMs + this.#options.timing.assureMs;
    if (own.signed) this.#renew(isForAll ? () => true : this.#options.isWantedBy, nowMs);
  }

  nextMs(): number {
    if (this.#hasLeft) return Number.POSITIVE_INFINITY;
    if (this.#quietSinceMs !== null) return this.#quietSinceMs + this.#options.timing.resumeMs;
    return this.#renewMs;
  }

  /** A link tells that we live; signed, it tells those who have none. */
  #renew(isMeant: (peer: string) => boolean, nowMs: number): void {
    const { links } = this.#options;
    if (![...links.peers.keys()].some(isMeant)) return;
    links.send({ type: "renewal", signed: this.#sign(nowMs), hops: 0, ageMs: 0 }, renewalKey, isMeant);
  }

  #sign(nowMs: number): SignedRenewal {
    this.#renewedMs = nowMs;
    return this.#options.own.renew();
  }

  /** Not all at the same moment, though they may have started so. */
  #afterRenewal(nowMs: number): number {
    const { timing, random } = this.#options;
    return nowMs + timing.renewMs * (0.8 + 0.2 * random());
  }

  /** Who refuses us because of the other one does so at once; a link that lasts says that it is gone. */
  #resume(nowMs: number): void {
    const { own, links, timing } = this.#options;
    if (this.#quietSinceMs === null || nowMs < this.#quietSinceMs + timing.resumeMs) return;
    this.#quietSinceMs = nowMs;
    if (links.peers.size === 0) return;
    this.#quietSinceMs = null;
    this.#options.onConflict(false);
    this.#publish(own.outbid());
  }

  #publish(signed: SignedRecord): void {
    if (this.#quietSinceMs !== null || this.#hasLeft) return;
    this.#options.links.send({ type: "record", signed, hops: 0, ageMs: 0 }, recordKey);
  }
}

const recordKey = "own record";
const renewalKey = "own renewal";
