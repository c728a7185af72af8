import type { DiscoveryError } from "@lmserv/discovery-core";
import {
  type Clock,
  FairSet,
  type Observation,
  type ObservationSink,
  type Rank,
} from "@lmserv/discovery-core/transport";
import { type AliveRecord, compareVersions, seenNode } from "@lmserv/discovery-signing";
import type { LocalNetwork } from "./local-network.ts";
import { isOutdated } from "./record-age.ts";
import type { Watcher } from "./store.ts";
import { goodbye, type Refusal, verifyValue } from "./value.ts";

export interface DirectoryOptions {
  readonly via: string;
  readonly clock: Clock;
  readonly cluster: string;
  readonly maxNodes: number;
  /** Time that a value outlives its silent announcer, in ms. */
  readonly lifetimeMs: number;
  readonly localNetwork: Pick<LocalNetwork, "rankOf">;
  readonly on: {
    /** Called for each correctly signed record, whatever its key holds. */
    readonly record: (record: AliveRecord) => void;
    readonly refused: (why: Refusal, key: string) => void;
  };
}

/** Announcement in the store. */
interface Entry {
  readonly value: string;
  readonly record: AliveRecord;
  /** Value that another process wrote over it, and the time since when. */
  contest: { readonly value: string; readonly sinceMs: number } | null;
}

/** An announcer checks its value once in a lifetime, and may be slow. */
const contestLifetimes = 1.5;
/** Bound on one key's nodes: a machine has a few servers, a gateway speaks for some hundred. */
const maxNodesPerMember = 1_000;

/** Valid announcements in a store, and the browses that receive them. */
export class Directory implements Watcher {
  readonly #options: DirectoryOptions;
  readonly #entries = new Map<string, Entry>();
  /** Count of each member's announcements. */
  readonly #counts = new Map<string, number>();
  /** Quotas: above the bound, the latest of the member with most gives way. */
  readonly #slots: FairSet;
  readonly #browses = new Set<ObservationSink>();
  #isComplete = false;

  constructor(options: DirectoryOptions) {
    this.#options = options;
    this.#slots = new FairSet(options.maxNodes);
  }

  /** Reports all nodes to a browse, then their changes; returns the function that ends it. */
  tell(sink: ObservationSink): () => void {
    this.#browses.add(sink);
    for (const [key, { record }] of this.#entries) {
      const seen = this.#observe(key, record);
      if (seen.kind === "alive") sink.push(seen);
    }
    if (this.#isComplete) sink.push({ kind: "settled", via: this.#options.via });
    return () => this.#browses.delete(sink);
  }

  /** Ends every browse with an error; returns their count. */
  fail(error: DiscoveryError): number {
    const count = this.#browses.size;
    for (const sink of [...this.#browses]) sink.fail(error);
    return count;
  }

  put(key: string, value: string): void {
    const before = this.#entries.get(key);
    if (before?.value === value) before.contest = null;
    else if (value === goodbye) this.#drop(key, "goodbye");
    else this.#read(key, value, before);
  }

  /** A goodbye that its removal replaced unseen is known by that removal. */
  delete(key: string, wasRemoved: boolean): void {
    this.#drop(key, wasRemoved ? "goodbye" : "unreachable");
  }

  complete(present: Pick<ReadonlySet<string>, "has">): void {
    for (const key of [...this.#entries.keys()]) if (!present.has(key)) this.#drop(key, "unreachable");
    if (this.#isComplete) return;
    this.#isComplete = true;
    this.#push({ kind: "settled", via: this.#options.via });
  }

  /** Reports everything anew, after this machine moved. */
  repeat(): void {
    for (const [key, { record }] of this.#entries) this.#show(key, record);
  }

  /**
   * Drops values that no owner signs anew or puts back: other writers can keep a value there, or cover it.
   */
  review(): void {
    const { clock, lifetimeMs } = this.#options;
    const lateMs = clock.now() - contestLifetimes * lifetimeMs;
    for (const [key, { record, contest }] of [...this.#entries]) {
      if (isOutdated(record, clock.wall())) this.#drop(key, "unreachable");
      else if (contest && contest.sinceMs <= lateMs) this.#replace(key, contest.value);
    }
  }

  #read(key: string, value: string, before: Entry | undefined): void {
    const { cluster, clock, on } = this.#options;
    const verification = verifyValue(key, value, cluster, clock.wall());
    if (verification.kind === "refused") return this.#refuse(verification.why, key, value);
    const { record } = verification;
    on.record(record);
    if (before && compareVersions(record, before.record) <= 0) return this.#refuse("not-newer", key, value);
    const refusal = before ? null : this.#refusalOf(record);
    if (refusal !== null) return this.#refuse(refusal, key, value);
    if (!before) this.#count(record.id, 1);
    this.#slots.add(key, rankOf(record));
    this.#entries.set(key, { value, record, contest: null });
    this.#show(key, record);
  }

  /**
   * A value over an abandoned announcement counts by itself: an earlier start, if its host was rolled back.
   */
  #replace(key: string, value: string): void {
    this.#drop(key, "unreachable");
    this.put(key, value);
  }

  /** Reason to refuse a new record, or null once there is room for it. */
  #refusalOf(record: AliveRecord): "full" | "quota" | null {
    if ((this.#counts.get(record.id) ?? 0) >= maxNodesPerMember) return "quota";
    const place = this.#slots.placeFor(rankOf(record));
    if (place === "none") return "full";
    if (place !== "free") {
      this.#drop(place.insteadOf, "unreachable");
      this.#options.on.refused("full", place.insteadOf);
    }
    return null;
  }

  /** An invalid value leaves the announcement under it in place, for as long as its owner may put it back. */
  #refuse(why: Refusal, key: string, value: string): void {
    const entry = this.#entries.get(key);
    if (entry) entry.contest = { value, sinceMs: entry.contest?.sinceMs ?? this.#options.clock.now() };
    this.#options.on.refused(why, key);
  }

  #drop(key: string, reason: "goodbye" | "unreachable"): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#entries.delete(key);
    this.#slots.delete(key);
    this.#count(entry.record.id, -1);
    this.#push({ kind: "gone", via: this.#options.via, key, reason });
  }

  #count(memberId: string, change: number): void {
    const count = (this.#counts.get(memberId) ?? 0) + change;
    if (count > 0) this.#counts.set(memberId, count);
    else this.#counts.delete(memberId);
  }

  #show(key: string, record: AliveRecord): void {
    const seen = this.#observe(key, record);
    if (seen.kind === "gone") this.#options.on.refused("address", key);
    this.#push(seen);
  }

  /** No host is known as the sender of a value in a store. A node to which no address leads is not listed. */
  #observe(key: string, record: AliveRecord): Observation {
    const { via, localNetwork } = this.#options;
    const { id: origin, nodes } = record;
    const [[node], addresses] = [nodes, localNetwork.rankOf(record)];
    if (!node || addresses.length === 0) return { kind: "gone", via, key, reason: "unreachable" };
    return { kind: "alive", via, key, node: seenNode(node, origin, addresses), origin, heardMs: null };
  }

  #push(observation: Observation): void {
    for (const sink of this.#browses) sink.push(observation);
  }
}

function rankOf({ id: origin }: AliveRecord): Rank {
  return { trust: "signed", origin };
}
