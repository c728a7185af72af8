import { unknownMachine } from "@lmserv/discovery-network";
import {
  type AliveRecord,
  compareVersions,
  type LeftRecord,
  type MemberRecord,
  type NodeKey,
  type SignedRecord,
  type SignedRenewal,
  signRecord,
  signRenewal,
  type Version,
} from "@lmserv/discovery-signing";
import type { LinkBook } from "./link-book.ts";
import type { Moment } from "./message.ts";
import type { Timing } from "./timing.ts";

/** What we say, apart from who we are and when it is said. */
export type Statement = Pick<AliveRecord, "addresses" | "urls" | "machine" | "nodes">;

/** What a member is known by. */
export interface LocalIdentity {
  readonly key: NodeKey;
  readonly epoch: number;
  /** Takes each epoch that was made necessary, to be above it at the next start. */
  readonly onEpoch: (epoch: number) => void;
}

export interface LocalRecordOptions extends LocalIdentity {
  readonly cluster: string;
  /** 64 random bits in hexadecimal: tells this process from others with the same key. */
  readonly instance: string;
  readonly links: LinkBook;
  readonly timing: Timing;
  readonly random: () => number;
  readonly startMs: number;
  /** Whether a peer wants our signs of life signed, to pass them on. */
  readonly isWantedBy: (peer: string) => boolean;
  /** Another process has our identity (true), or has it no longer. */
  readonly onConflict: (isOn: boolean) => void;
}

/** What becomes of us when our identity is met in somebody else's words. */
type Encounter = "echo" | "outbid" | "conflict";

const recordKey = "own record";
const renewalKey = "own renewal";

/** What we sign and tell all peers: what we are, that we live, and goodbye; always newer than what we signed before. */
export class LocalRecord {
  readonly #options: LocalRecordOptions;
  /** Two starts that both forgot their epochs must not arrive at the same one: up to a minute, if it were time. */
  readonly #stride: number;
  #statement: Statement = { addresses: [], urls: [], machine: unknownMachine, nodes: [] };
  #epoch: number;
  #seq = 0;
  #beat = 0;
  #signed: SignedRecord | null = null;
  #renewal: SignedRenewal | null = null;
  /** Another process that has our identity, or had it. */
  #rival: string | null = null;
  /** The latest epoch of such a one. */
  #highest = 0;
  #renewMs: number;
  #renewedMs = Number.NEGATIVE_INFINITY;
  /** When everybody is sent a signed sign of life next. */
  #assureMs: number;
  /** Since when another process has our identity, as far as we know; we say nothing then. */
  #quietSinceMs: number | null = null;
  #hasLeft = false;

  constructor(options: LocalRecordOptions) {
    this.#options = options;
    this.#epoch = options.epoch;
    this.#stride = Number.parseInt(options.instance.slice(0, 4), 16);
    this.#renewMs = this.#afterRenewal(options.startMs);
    this.#assureMs = options.startMs + options.timing.assureMs;
  }

  get id(): string {
    return this.#options.key.id;
  }

  get epoch(): number {
    return this.#epoch;
  }

  get moment(): Moment {
    return { epoch: this.#epoch, seq: this.#seq, beat: this.#beat };
  }

  /** Whether we gave way to somebody with our identity, whose words are no news then. */
  get isQuiet(): boolean {
    return this.#quietSinceMs !== null;
  }

  /** @throws {RangeError} when it takes more than a record may. */
  say(statement: Statement): void {
    const { cluster, timing, instance } = this.#options;
    const { ttlMs } = timing;
    const signed = this.#sign({ kind: "alive", ...this.#next(), cluster, ttlMs, instance, ...statement });
    this.#statement = statement;
    this.#publish(signed);
  }

  leave(): void {
    const { cluster, timing } = this.#options;
    if (!this.#hasLeft) {
      this.#publish(this.#sign({ kind: "left", ...this.#next(), cluster, ttlMs: timing.ttlMs }));
    }
    this.#hasLeft = true;
  }

  /** Tells a new peer who we are, with a sign of life that is later than all it may have heard of. */
  introduce(peer: string, nowMs: number): void {
    const { links } = this.#options;
    if (this.#quietSinceMs !== null) this.#quietSinceMs = nowMs;
    else if (this.#signed && !this.#hasLeft) {
      links.sendTo(peer, { type: "record", signed: this.#signed, hops: 0, ageMs: 0 }, recordKey);
      links.sendTo(peer, { type: "renewal", signed: this.#renew(nowMs), hops: 0, ageMs: 0 }, renewalKey);
    }
  }

  /** Gives a peer that wants it a signed sign of life, to begin with: no other one than its fellows have just got. */
  assure(peer: string, nowMs: number): void {
    const { links, timing } = this.#options;
    if (this.#quietSinceMs !== null || this.#hasLeft || this.#signed === null) return;
    const isYoung = nowMs - this.#renewedMs < timing.renewMs / 2;
    const signed = (isYoung && this.#renewal) || this.#renew(nowMs);
    const ageMs = Math.round(nowMs - this.#renewedMs);
    links.sendTo(peer, { type: "renewal", signed, hops: 0, ageMs }, renewalKey);
  }

  /** Somebody holds a record in our name. */
  meet(record: MemberRecord, nowMs: number): void {
    const encounter = this.#encounter(record);
    if (encounter === "conflict") this.yield(nowMs);
    else if (encounter === "outbid" && this.#quietSinceMs === null && !this.#hasLeft) this.#outbid();
  }

  /** Gives way to another process with our identity. */
  yield(nowMs: number): void {
    if (this.#quietSinceMs === null) this.#options.onConflict(true);
    this.#quietSinceMs = nowMs;
  }

  tick(nowMs: number): void {
    if (this.#hasLeft) return;
    if (this.#quietSinceMs !== null) return this.#resume(this.#quietSinceMs, nowMs);
    if (this.#renewMs > nowMs) return;
    const { links, timing, isWantedBy } = this.#options;
    this.#renewMs = this.#afterRenewal(nowMs);
    const isForAll = nowMs >= this.#assureMs;
    if (isForAll) this.#assureMs = nowMs + timing.assureMs;
    // A link tells that we live; signed, it tells those who have none.
    const isMeant = isForAll ? () => true : isWantedBy;
    if (!this.#signed || ![...links.peers.keys()].some(isMeant)) return;
    links.send({ type: "renewal", signed: this.#renew(nowMs), hops: 0, ageMs: 0 }, renewalKey, isMeant);
  }

  nextMs(): number {
    if (this.#hasLeft) return Number.POSITIVE_INFINITY;
    if (this.#quietSinceMs !== null) return this.#quietSinceMs + this.#options.timing.resumeMs;
    return this.#renewMs;
  }

  /**
   * What a record in our name means.
   *
   * One that an earlier start of ours left behind is to be outbid. If its author answers that with yet a
   * later one, it is alive.
   */
  #encounter(foreign: MemberRecord): Encounter {
    const isOurs = foreign.kind === "alive" && foreign.instance === this.#options.instance;
    if (isOurs || compareVersions(foreign, this.moment) < 0 || foreign.epoch <= this.#highest) return "echo";
    this.#highest = foreign.epoch;
    if (foreign.kind === "left") return "outbid";
    if (this.#rival === foreign.instance) return "conflict";
    this.#rival = foreign.instance;
    return "outbid";
  }

  /** Says the same again, above every record in our name that was met. */
  #outbid(): void {
    if (this.#highest >= this.#epoch) {
      this.#epoch = this.#highest + 1 + this.#stride;
      this.#seq = 0;
      this.#options.onEpoch(this.#epoch);
    }
    this.say(this.#statement);
  }

  /** Not all at the same moment, though they may have started so. */
  #afterRenewal(nowMs: number): number {
    const { timing, random } = this.#options;
    return nowMs + timing.renewMs * (0.8 + 0.2 * random());
  }

  /** Who refuses us because of the other one does so at once; a link that lasts says that it is gone. */
  #resume(quietSinceMs: number, nowMs: number): void {
    const { links, timing, onConflict } = this.#options;
    if (nowMs < quietSinceMs + timing.resumeMs) return;
    this.#quietSinceMs = nowMs;
    if (links.peers.size === 0) return;
    this.#quietSinceMs = null;
    onConflict(false);
    this.#outbid();
  }

  #publish(signed: SignedRecord): void {
    if (this.#quietSinceMs !== null || this.#hasLeft) return;
    this.#options.links.send({ type: "record", signed, hops: 0, ageMs: 0 }, recordKey);
  }

  #renew(nowMs: number): SignedRenewal {
    const { key, cluster } = this.#options;
    this.#renewedMs = nowMs;
    this.#beat += 1;
    this.#renewal = signRenewal({ cluster, id: key.id, ...this.moment }, key);
    return this.#renewal;
  }

  #next(): Pick<LeftRecord, "id"> & Version {
    return { id: this.id, epoch: this.#epoch, seq: this.#seq + 1 };
  }

  #sign(record: MemberRecord): SignedRecord {
    const signed = signRecord(record, this.#options.key);
    this.#seq = record.seq;
    this.#beat = 0;
    this.#renewal = null;
    this.#signed = signed;
    return signed;
  }
}
