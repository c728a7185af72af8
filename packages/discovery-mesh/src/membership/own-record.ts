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
} from "@lmserv/discovery-identity";
import { unknownMachine } from "@lmserv/discovery-network";
import type { Moment } from "./message.ts";

/** What we say, apart from who we are and when it is said. */
export type Statement = Pick<AliveRecord, "addresses" | "urls" | "machine" | "nodes">;

export interface OwnRecordOptions {
  readonly key: NodeKey;
  readonly cluster: string;
  readonly ttlMs: number;
  readonly epoch: number;
  /** 64 random bits in hexadecimal: tells this process from others with the same key. */
  readonly instance: string;
  /** Takes each epoch that was made necessary, to be above it at the next start. */
  readonly onEpoch: (epoch: number) => void;
}

/** What becomes of us when our identity is met in somebody else's words. */
export type Encounter = "echo" | "outbid" | "conflict";

/** Everything that we signed, and the counters that make it newer than what we signed before. */
export class OwnRecord {
  readonly #options: OwnRecordOptions;
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

  constructor(options: OwnRecordOptions) {
    this.#options = options;
    this.#epoch = options.epoch;
    this.#stride = Number.parseInt(options.instance.slice(0, 4), 16);
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

  get signed(): SignedRecord | null {
    return this.#signed;
  }

  get renewal(): SignedRenewal | null {
    return this.#renewal;
  }

  /** @throws {RangeError} when it takes more than a record may. */
  say(statement: Statement): SignedRecord {
    const { cluster, ttlMs, instance } = this.#options;
    const signed = this.#sign({ kind: "alive", ...this.#next(), cluster, ttlMs, instance, ...statement });
    this.#statement = statement;
    return signed;
  }

  renew(): SignedRenewal {
    const { key, cluster } = this.#options;
    this.#beat += 1;
    const renewal = signRenewal({ cluster, id: key.id, ...this.moment }, key);
    this.#renewal = renewal;
    return renewal;
  }

  leave(): SignedRecord {
    const { cluster, ttlMs } = this.#options;
    return this.#sign({ kind: "left", ...this.#next(), cluster, ttlMs });
  }

  /**
   * Somebody holds a record in our name.
   *
   * One that an earlier start of ours left behind is to be outbid. If its author answers that with yet a
   * later one, it is alive.
   */
  meet(foreign: MemberRecord): Encounter {
    const isOurs = foreign.kind === "alive" && foreign.instance === this.#options.instance;
    if (isOurs || compareVersions(foreign, this.#version()) < 0 || foreign.epoch <= this.#highest)
      return "echo";
    this.#highest = foreign.epoch;
    if (foreign.kind === "left") return "outbid";
    if (this.#rival === foreign.instance) return "conflict";
    this.#rival = foreign.instance;
    return "outbid";
  }

  /** Says the same again, above every record in our name that was met. */
  outbid(): SignedRecord {
    if (this.#highest >= this.#epoch) {
      this.#epoch = this.#highest + 1 + this.#stride;
      this.#seq = 0;
      this.#options.onEpoch(this.#epoch);
    }
    return this.say(this.#statement);
  }

  #version(): Version {
    return { epoch: this.#epoch, seq: this.#seq };
  }

  #next(): Pick<LeftRecord, "id" | "epoch" | "seq"> {
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
