import { type Clock, type ResolvedAnnouncement, randomHex } from "@lmserv/discovery-core/transport";
import { type AliveRecord, fittedNodes, type Identity, signRecord } from "@lmserv/discovery-signing";
import { keyOf, writeValue } from "./value.ts";

/** Number of the record since the start, shared by all sessions of an identity. */
const written = new WeakMap<Identity, number>();

export type Place = Pick<AliveRecord, "addresses" | "machine">;

export interface RecordSignerOptions {
  readonly identity: Identity;
  readonly cluster: string;
  readonly lifetimeMs: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly clock: Clock;
}

/** Signs the announcements of one member, each time as a newer version. */
export class RecordSigner {
  readonly #options: RecordSignerOptions;
  /** Tells two processes with one key apart. */
  readonly instance: string;

  constructor(options: RecordSignerOptions) {
    this.#options = options;
    this.instance = randomHex(options.random, 64);
  }

  get id(): string {
    return this.#options.identity.key.id;
  }

  keyOf({ id }: ResolvedAnnouncement): string {
    return keyOf(this.id, id);
  }

  /** @throws {RangeError | TypeError} for a node that does not fit a record. */
  write({ addresses: _, ...node }: ResolvedAnnouncement, place: Place): string {
    const { identity, cluster, lifetimeMs, clock } = this.#options;
    const seq = (written.get(identity) ?? 0) + 1;
    const { key, epoch } = identity;
    const head = { cluster, id: key.id, epoch, seq, ttlMs: lifetimeMs };
    const signedMs = Math.max(1, Math.floor(clock.wall()));
    const body = { signedMs, instance: this.instance, ...place, urls: [], nodes: fittedNodes([node]) };
    const value = writeValue(signRecord({ kind: "alive", ...head, ...body }, key));
    written.set(identity, seq);
    return value;
  }
}
