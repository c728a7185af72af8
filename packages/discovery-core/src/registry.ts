import { assess, faceOfHealth, isAbout } from "./assessment.ts";
import { isoTime } from "./clock.ts";
import { Deadlines } from "./deadlines.ts";
import { Entry } from "./entry.ts";
import type { HealthReport } from "./health-monitor.ts";
import { mergeSources } from "./merge.ts";
import type { NodeInfo, SeenNode } from "./node.ts";
import type { DownReason, RegistryChange } from "./registry-change.ts";
import { listedEndpoints, provenEndpoints, type Source, slotOf, sourceOf, tiesOf } from "./source.ts";
import type { Alive, Observation } from "./transport.ts";

export interface RegistryOptions {
  /** How many nodes are kept; newcomers beyond are refused. @default 10_000 */
  readonly capacity?: number;
  /** Tells whether this process announced the node. @default nothing is its own */
  readonly isSelf?: (id: string) => boolean;
  /** Writes a time of the clock that `apply` is given as ISO 8601. @default counted from 1970 */
  readonly isoTime?: (ms: number) => string;
}

const epoch = { now: () => 0, wall: () => 0 };

/**
 * The one list of nodes that every transport feeds.
 *
 * Synchronous and timerless: state in, changes out. A node has one entry, an entry one deadline for each
 * source, and goes down when its last source ends.
 */
export class Registry {
  readonly capacity: number;
  readonly #isSelf: (id: string) => boolean;
  readonly #isoTime: (ms: number) => string;
  readonly #entries = new Map<string, Entry>();
  /** Whose source a slot holds. */
  readonly #owners = new Map<string, Entry>();
  /** Who has a tie: who answers at an endpoint, as far as that is proven, or has an announcer. */
  readonly #holders = new Map<string, Entry>();
  readonly #deadlines = new Deadlines();
  /** What users were told last. */
  readonly #nodes = new Map<string, NodeInfo>();
  /** Last check of each listed node. */
  readonly #reports = new Map<string, HealthReport>();
  #refused = 0;

  constructor(options: RegistryOptions = {}) {
    const { capacity = 10_000, isSelf = () => false } = options;
    if (!Number.isInteger(capacity) || capacity < 1) {
      throw new RangeError(`capacity ${capacity} must be an integer of at least 1`);
    }
    this.capacity = capacity;
    this.#isSelf = isSelf;
    this.#isoTime = options.isoTime ?? ((ms) => isoTime(epoch, ms));
  }

  get size(): number {
    return this.#nodes.size;
  }

  /** How many observations were refused because the registry, or the node's list of sources, was full. */
  get refused(): number {
    return this.#refused;
  }

  get(id: string): NodeInfo | null {
    return this.#nodes.get(id) ?? null;
  }

  /** Every node, in the order of arrival. */
  listAlive(): readonly NodeInfo[] {
    return [...this.#nodes.values()];
  }

  /** When the next source ends unless it is heard again, in ms of the clock that `apply` is given, or null. */
  nextDeadlineMs(): number | null {
    return this.#deadlines.first()?.atMs ?? null;
  }

  apply(observation: Observation, nowMs: number): readonly RegistryChange[] {
    if (observation.kind === "alive") return this.#hear(observation, nowMs);
    if (observation.kind === "gone") return this.#end([slotOf(observation)], observation.reason);
    return [];
  }

  /** Ends every source whose deadline is at or before `nowMs`. */
  expire(nowMs: number): readonly RegistryChange[] {
    const due: string[] = [];
    for (let next = this.#deadlines.first(); next && next.atMs <= nowMs; next = this.#deadlines.first()) {
      this.#deadlines.delete(next.key);
      due.push(next.key);
    }
    return this.#end(due, "expired");
  }

  /** Takes the outcome of a check; one of a node or an endpoint that is not listed any more is dropped. */
  assess(id: string, report: HealthReport): readonly RegistryChange[] {
    const entry = this.#entries.get(id);
    const node = this.#nodes.get(id);
    if (!entry || !node || !isAbout(report, node)) return [];
    this.#reports.set(id, report);
    return this.#show(entry);
  }

  #hear(report: Alive, nowMs: number): readonly RegistryChange[] {
    const { node } = report;
    if (this.#isLate(node)) return [];
    const slot = slotOf(report);
    const owner = this.#owners.get(slot);
    const holders = this.#holdersOf(tiesOf(report));
    const id = this.#identify(node, owner, holders);
    const rivals = holders.filter((holder) => holder.id !== id && holder.yieldsTo(node));
    if (!this.#hasRoom(id, slot, rivals)) {
      this.#refused += 1;
      return [];
    }
    const entry = this.#entries.get(id) ?? new Entry(id);
    this.#keep(entry, slot, sourceOf(report, entry.sources.get(slot), nowMs));
    const superseded = rivals.flatMap((rival) => this.#supersede(rival, entry));
    const deserted = owner && owner !== entry ? this.#settle(owner, "superseded") : [];
    this.#hold(entry, report);
    return [...superseded, ...deserted, ...this.#show(entry)];
  }

  /** Whether a report comes from before the present holder of the endpoint. */
  #isLate(node: SeenNode): boolean {
    const proven = provenEndpoints(node);
    const endpoints = proven.length > 0 ? proven : listedEndpoints(node);
    return this.#holdersOf(endpoints).some((holder) => holder.hasOutlived(node));
  }

  /**
   * Which node a report is about.
   *
   * One without an identity is about the holder of a tie of it, one with an identity first, and stays with its owner
   * while it lists an endpoint of that one; a host that answers on many addresses is one node.
   */
  #identify(node: SeenNode, owner: Entry | undefined, holders: readonly Entry[]): string {
    if (node.id !== null) return node.id;
    const holder = holders.find(({ isNamed }) => isNamed) ?? holders[0];
    const listed = listedEndpoints(node);
    const stays = owner && listed.some((endpoint) => owner.ties.has(endpoint));
    return (holder ?? (stays ? owner : undefined))?.id ?? listed[0] ?? "";
  }

  #holdersOf(ties: readonly string[]): Entry[] {
    return [...new Set(ties.flatMap((tie) => this.#holders.get(tie) ?? []))];
  }

  /** A newcomer has room also where it takes the place of another. */
  #hasRoom(id: string, slot: string, rivals: readonly Entry[]): boolean {
    const known = this.#entries.get(id);
    if (known) return known.hasRoomFor(slot);
    const replaces = rivals.length > 0 || this.#owners.get(slot)?.sources.size === 1;
    return replaces || this.#entries.size < this.capacity;
  }

  /** Gives a slot to an entry, whoever had it before. */
  #keep(entry: Entry, slot: string, source: Source): void {
    this.#owners.get(slot)?.sources.delete(slot);
    this.#owners.set(slot, entry);
    this.#entries.set(entry.id, entry);
    entry.sources.set(slot, source);
    this.#deadlines.set(slot, source.expiresMs);
  }

  #forget(slot: string): void {
    this.#owners.get(slot)?.sources.delete(slot);
    this.#owners.delete(slot);
    this.#deadlines.delete(slot);
  }

  /** Sources without an identity live on in the successor; those of another identity end. */
  #supersede(rival: Entry, successor: Entry): RegistryChange[] {
    for (const [slot, source] of rival.sources) {
      if (source.node.id === null && successor.hasRoomFor(slot)) this.#keep(successor, slot, source);
      else this.#forget(slot);
    }
    for (const tie of rival.ties) this.#take(successor, tie);
    rival.ties.clear();
    successor.follow(rival);
    return this.#settle(rival, "superseded");
  }

  #take(entry: Entry, tie: string): void {
    this.#holders.set(tie, entry);
    entry.ties.add(tie);
  }

  /** Makes an entry the holder of a report's ties, unless another is; old ones are given up. */
  #hold(entry: Entry, report: Alive): void {
    this.#releaseOld(entry);
    for (const tie of tiesOf(report)) if (!this.#holders.has(tie)) this.#take(entry, tie);
  }

  #end(slots: readonly string[], reason: DownReason): readonly RegistryChange[] {
    const owners = new Set(slots.flatMap((slot) => this.#owners.get(slot) ?? []));
    for (const slot of slots) this.#forget(slot);
    return [...owners].flatMap((entry) => this.#settle(entry, reason));
  }

  /** Brings an entry that lost a source in line with those that it has; `reason` is for its end. */
  #settle(entry: Entry, reason: DownReason): RegistryChange[] {
    this.#releaseOld(entry);
    if (entry.sources.size > 0) return this.#show(entry);
    const node = this.#nodes.get(entry.id);
    this.#entries.delete(entry.id);
    this.#nodes.delete(entry.id);
    this.#reports.delete(entry.id);
    return node ? [{ kind: "down", node, reason }] : [];
  }

  #releaseOld(entry: Entry): void {
    const present = entry.presentTies();
    for (const tie of entry.ties) {
      if (present.has(tie)) continue;
      this.#holders.delete(tie);
      entry.ties.delete(tie);
    }
  }

  #show(entry: Entry): RegistryChange[] {
    const before = this.#nodes.get(entry.id);
    const node = this.#describe(entry);
    this.#nodes.set(entry.id, node);
    if (!before) return [{ kind: "up", node }];
    return faceOf(node) === faceOf(before) ? [] : [{ kind: "updated", node }];
  }

  #describe({ id, sources }: Entry): NodeInfo {
    const node = mergeSources(id, [...sources.values()], this.#isSelf(id), this.#isoTime);
    const report = this.#reports.get(id);
    if (!report) return node;
    if (isAbout(report, node)) return assess(node, report);
    this.#reports.delete(id);
    return node;
  }
}

/** What of a node is news when it changes: all but the times, and the way it was heard. */
function faceOf(node: NodeInfo): string {
  const sources = node.sources.map(({ transport, key, trust, stale }) => [transport, key, trust, stale]);
  return JSON.stringify({ ...node, sources, health: faceOfHealth(node.health) });
}
