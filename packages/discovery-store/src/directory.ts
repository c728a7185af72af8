import type { DiscoveryError, SeenAddress } from "@lmserv/discovery-core";
import {
  type Clock,
  type Observation,
  type ObservationSink,
  Room,
  type Seat,
} from "@lmserv/discovery-core/transport";
import { type AliveRecord, compareVersions, seenNode } from "@lmserv/discovery-signing";
import type { RecordVerifier, Refusal } from "./record-verifier.ts";
import type { Watcher } from "./store.ts";
import { goodbye } from "./value.ts";

export interface DirectoryOptions {
  readonly via: string;
  readonly clock: Clock;
  readonly verifier: RecordVerifier;
  readonly maxNodes: number;
  /** How long a value outlives its silent announcer, in ms. */
  readonly lifetimeMs: number;
  /** How the addresses of a record are expected to answer from here; none when nothing leads to its nodes. */
  readonly rankOf: (record: AliveRecord) => readonly SeenAddress[];
  readonly on: {
    /** A record that is signed as it should be, whatever else there is under its key. */
    readonly record: (record: AliveRecord) => void;
    readonly refused: (why: Refusal, key: string) => void;
  };
}

/** An announcement that lies in the store. */
interface Entry {
  readonly value: string;
  readonly record: AliveRecord;
  /** What somebody wrote over it, and since when something else is there. */
  contest: { readonly value: string; readonly sinceMs: number } | null;
}

/** An announcer looks after its value once in a lifetime, and may be slow. */
const contestLifetimes = 1.5;
/** A machine has a few servers, a gateway speaks for some hundred; more of one key is a flood. */
const maxNodesPerMember = 1_000;

/** The announcements in a store that hold, and the browses that are told of them. */
export class Directory implements Watcher {
  readonly #options: DirectoryOptions;
  readonly #entries = new Map<string, Entry>();
  /** How many are of one member. */
  readonly #counts = new Map<string, number>();
  /** Where there are too many, the latest of the member with most gives way. */
  readonly #room: Room;
  readonly #browses = new Set<ObservationSink>();
  #isComplete = false;

  constructor(options: DirectoryOptions) {
    this.#options = options;
    this.#room = new Room(options.maxNodes);
  }

  /** Tells a browse of all there is, and then of what changes; the result ends that. */
  tell(sink: ObservationSink): () => void {
    this.#browses.add(sink);
    for (const [key, { record }] of this.#entries) {
      const seen = this.#observe(key, record);
      if (seen.kind === "alive") sink.push(seen);
    }
    if (this.#isComplete) sink.push({ kind: "settled", via: this.#options.via });
    return () => this.#browses.delete(sink);
  }

  /** Ends every browse with an error; tells how many there were. */
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

  /** A goodbye that was replaced before it was told is known by the removal that replaced it. */
  delete(key: string, wasRemoved: boolean): void {
    this.#drop(key, wasRemoved ? "goodbye" : "unreachable");
  }

  complete(present: Pick<ReadonlySet<string>, "has">): void {
    for (const key of [...this.#entries.keys()]) if (!present.has(key)) this.#drop(key, "unreachable");
    if (this.#isComplete) return;
    this.#isComplete = true;
    this.#push({ kind: "settled", via: this.#options.via });
  }

  /** Tells of everything anew: this machine is elsewhere. */
  repeat(): void {
    for (const [key, { record }] of this.#entries) this.#show(key, record);
  }

  /** Drops what nobody signs anew or puts back: whoever may write to the store can keep a value there, or cover it. */
  review(): void {
    const { verifier, clock, lifetimeMs } = this.#options;
    const lateMs = clock.now() - contestLifetimes * lifetimeMs;
    for (const [key, { record, contest }] of [...this.#entries]) {
      if (verifier.isOutdated(record)) this.#drop(key, "unreachable");
      else if (contest && contest.sinceMs <= lateMs) this.#replace(key, contest.value);
    }
  }

  #read(key: string, value: string, before: Entry | undefined): void {
    const verification = this.#options.verifier.verify(key, value);
    if (verification.kind === "refused") return this.#refuse(verification.why, key, value);
    const { record } = verification;
    this.#options.on.record(record);
    if (before && compareVersions(record, before.record) <= 0) return this.#refuse("not-newer", key, value);
    const refusal = before ? null : this.#refusalOf(record);
    if (refusal !== null) return this.#refuse(refusal, key, value);
    if (!before) this.#count(record.id, 1);
    this.#room.take(key, seatOf(record));
    this.#entries.set(key, { value, record, contest: null });
    this.#show(key, record);
  }

  /** What covers an announcement that nobody put back counts by itself: an earlier start, where its host was rolled back. */
  #replace(key: string, value: string): void {
    this.#drop(key, "unreachable");
    this.put(key, value);
  }

  /** Why a newcomer cannot be taken, or null once there is room for it. */
  #refusalOf(record: AliveRecord): "full" | "quota" | null {
    if ((this.#counts.get(record.id) ?? 0) >= maxNodesPerMember) return "quota";
    const place = this.#room.placeFor(seatOf(record));
    if (place === "none") return "full";
    if (place !== "free") {
      this.#drop(place.insteadOf, "unreachable");
      this.#options.on.refused("full", place.insteadOf);
    }
    return null;
  }

  /** What is no announcement leaves the one that it covers as it was, for as long as its owner may put it back. */
  #refuse(why: Refusal, key: string, value: string): void {
    const entry = this.#entries.get(key);
    if (entry) entry.contest = { value, sinceMs: entry.contest?.sinceMs ?? this.#options.clock.now() };
    this.#options.on.refused(why, key);
  }

  #drop(key: string, reason: "goodbye" | "unreachable"): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#entries.delete(key);
    this.#room.leave(key);
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

  /** What lies in a store was heard of nobody. A node that nothing leads to from here is not listed, or not any more. */
  #observe(key: string, record: AliveRecord): Observation {
    const { via, rankOf } = this.#options;
    const { id: origin, nodes } = record;
    const [[node], addresses] = [nodes, rankOf(record)];
    if (!node || addresses.length === 0) return { kind: "gone", via, key, reason: "unreachable" };
    return { kind: "alive", via, key, node: seenNode(node, origin, addresses), origin, heardMs: null };
  }

  #push(observation: Observation): void {
    for (const sink of this.#browses) sink.push(observation);
  }
}

function seatOf({ id: origin }: AliveRecord): Seat {
  return { trust: "signed", origin };
}
