import type { DiscoveryError } from "../contract/errors.ts";
import type { HealthReport } from "../contract/health-monitor.ts";
import type { NodeInfo } from "../contract/node.ts";
import type { DownReason, RegistryChange } from "../contract/registry-change.ts";
import type { Alive, Lost, Observation } from "../contract/transport.ts";
import { isoTime } from "../time/clock.ts";
import { assess, faceOfHealth, isAbout } from "./assessment.ts";
import { Deadlines } from "./deadlines.ts";
import { Entry } from "./entry.ts";
import { FairSet, type Place } from "./fair-set.ts";
import { Losses } from "./losses.ts";
import { mergeSources } from "./merge.ts";
import { type Source, slotOf, sourceOf } from "./source.ts";
import { claimOf, type FreshClaim, tiesOf } from "./trust.ts";

export interface RegistryOptions {
  /** Bound on the reports of each transport; `FairSet` decides which give way. @default 10_000 */
  readonly capacity?: number;
  /** Lifetime of a source without one, once its transport is lost, in ms, > 0. @default 60_000 */
  readonly ttlMs?: number;
  /** Returns true if this process announced the node. @default never */
  readonly isSelf?: (id: string) => boolean;
  /** Formats a time of `apply`'s clock as ISO 8601. @default counted from 1970 */
  readonly isoTime?: (ms: number) => string;
}

/** TTLs by which a source outlives the loss of its transport. */
const graceTtls = 2;

const epoch = { now: () => 0, wall: () => 0 };

/**
 * List of nodes that every transport feeds.
 *
 * Synchronous and timerless: state in, changes out. A node has one entry, an entry one deadline for each
 * source, and goes down when its last source ends.
 *
 * Sources of a lost transport are stale after 2 s. They end after twice their ttl, unless the node still
 * answers its health checks. Those that the next session has not reported when it settles end as well.
 */
export class Registry {
  readonly capacity: number;
  readonly #ttlMs: number;
  readonly #isSelf: (id: string) => boolean;
  readonly #isoTime: (ms: number) => string;
  readonly #entries = new Map<string, Entry>();
  /** Entry that owns each slot. */
  readonly #owners = new Map<string, Entry>();
  /** Entry that holds each tie: a proven endpoint, or an announcer. */
  readonly #holders = new Map<string, Entry>();
  /** Slots of each transport: none takes the room of another. */
  readonly #slots = new Map<string, FairSet>();
  readonly #deadlines = new Deadlines();
  readonly #losses = new Losses();
  /** Nodes as users saw them last. */
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
    this.#ttlMs = options.ttlMs ?? 60_000;
    this.#isSelf = isSelf;
    this.#isoTime = options.isoTime ?? ((ms) => isoTime(epoch, ms));
  }

  get size(): number {
    return this.#nodes.size;
  }

  /** Count of reports that were refused or displaced for want of room. */
  get refused(): number {
    return this.#refused;
  }

  /** Transports without a session for 2 s or more, each with the cause. */
  get lost(): ReadonlyMap<string, DiscoveryError> {
    return this.#losses.absent;
  }

  get(id: string): NodeInfo | null {
    return this.#nodes.get(id) ?? null;
  }

  /** All nodes, in the order of arrival. */
  listAlive(): readonly NodeInfo[] {
    return [...this.#nodes.values()];
  }

  /** Time of the next work for `expire`, in ms of `apply`'s clock, or null. */
  nextDeadlineMs(): number | null {
    const next = [this.#deadlines.first()?.atMs ?? null, this.#losses.nextMs()].filter((ms) => ms !== null);
    return next.length > 0 ? Math.min(...next) : null;
  }

  apply(observation: Observation, nowMs: number): readonly RegistryChange[] {
    if (observation.kind === "alive") return this.#hear(observation, nowMs);
    if (observation.kind === "gone") return this.#end([slotOf(observation)], observation.reason);
    if (observation.kind === "lost") return this.#lose(observation, nowMs);
    if (observation.kind === "settled") return this.#end(this.#losses.settle(observation.via), "unreachable");
    this.#losses.recover(observation.via);
    return [];
  }

  /** Ends every source whose deadline is at or before `nowMs`, and marks those of lost transports. */
  expire(nowMs: number): readonly RegistryChange[] {
    const due: string[] = [];
    for (let next = this.#deadlines.first(); next && next.atMs <= nowMs; next = this.#deadlines.first()) {
      this.#deadlines.delete(next.key);
      due.push(next.key);
    }
    const isExpired = (slot: string): boolean => !this.#losses.isUnconfirmed(slot);
    const expired = due.filter(isExpired);
    const lost = due.filter((slot) => !isExpired(slot));
    const stale = this.#losses.takeStale(nowMs);
    const mark = (source: Source, slot: string): Source => {
      return { ...source, stale: source.stale ?? stale.get(slot) ?? null };
    };
    return [
      ...this.#end(expired, "expired"),
      ...this.#endGrace(lost, nowMs),
      ...this.#change(stale.keys(), mark),
    ];
  }

  /** Takes the outcome of a check; one of an unlisted node or endpoint is dropped. */
  assess(id: string, report: HealthReport): readonly RegistryChange[] {
    const entry = this.#entries.get(id);
    const node = this.#nodes.get(id);
    if (!entry || !node || !isAbout(report, node)) return [];
    this.#reports.set(id, report);
    return this.#show(entry);
  }

  #lose({ via, error }: Lost, nowMs: number): readonly RegistryChange[] {
    const slots = this.#slots.get(via)?.keys() ?? [];
    return this.#keepOn(this.#losses.lose(via, error, slots, nowMs), nowMs);
  }

  /** Keeps nodes that still answer: their medium cannot tell. */
  #endGrace(slots: readonly string[], nowMs: number): readonly RegistryChange[] {
    const isSilent = (slot: string): boolean => {
      const report = this.#reports.get(this.#owners.get(slot)?.id ?? "");
      return report === undefined || report.health.state === "silent";
    };
    const ended = slots.filter(isSilent);
    const kept = slots.filter((slot) => !isSilent(slot));
    return [...this.#end(ended, "unreachable"), ...this.#keepOn(kept, nowMs)];
  }

  /** Extends the life of sources by their grace. */
  #keepOn(slots: readonly string[], nowMs: number): readonly RegistryChange[] {
    return this.#change(slots, (source, slot) => {
      const expiresMs = nowMs + graceTtls * (source.ttlMs ?? this.#ttlMs);
      this.#deadlines.set(slot, expiresMs);
      return { ...source, expiresMs };
    });
  }

  #change(
    slots: Iterable<string>,
    change: (source: Source, slot: string) => Source,
  ): readonly RegistryChange[] {
    const changed = new Set<Entry>();
    for (const slot of slots) {
      const owner = this.#owners.get(slot);
      const source = owner?.sources.get(slot);
      if (!owner || !source) continue;
      owner.sources.set(slot, change(source, slot));
      changed.add(owner);
    }
    return [...changed].flatMap((entry) => this.#show(entry));
  }

  #hear(report: Alive, nowMs: number): readonly RegistryChange[] {
    const slot = slotOf(report);
    const owner = this.#owners.get(slot);
    const fresh = claimOf(report, owner?.sources.get(slot));
    if (this.#isLate(fresh)) return [];
    const id = this.#identify(fresh, owner);
    const entry = this.#entries.get(id) ?? new Entry(id);
    const source = sourceOf(fresh, entry.sources.get(slot), nowMs);
    const rivals = this.#rivalsOf(fresh, entry);
    const place = this.#placeFor(source, entry, rivals);
    if (place === "none") {
      this.#refused += 1;
      return [];
    }
    this.#keep(entry, source);
    this.#losses.confirm(slot);
    const superseded = rivals.flatMap((rival) => this.#supersede(rival, entry, nowMs));
    const deserted = owner && owner !== entry ? this.#settle(owner, "superseded") : [];
    const displaced = place === "free" ? [] : this.#displace(place.insteadOf);
    this.#readmit(entry, fresh);
    this.#hold(entry, source);
    return [...superseded, ...deserted, ...displaced, ...this.#show(entry)];
  }

  /** True if a report comes from before the present holder of the endpoint. */
  #isLate(fresh: FreshClaim): boolean {
    const { proven, listed } = fresh;
    return this.#holdersOf(proven.length > 0 ? proven : listed).some((holder) => holder.hasOutlived(fresh));
  }

  /**
   * Id of the node that a claim is about.
   *
   * A claim without an identity is about the holder of one of its ties, a named one first. It stays with its
   * owner while it lists an endpoint of that one. A host that answers on many addresses is one node.
   */
  #identify(fresh: FreshClaim, owner: Entry | undefined): string {
    const { node, listed } = fresh;
    if (node.id !== null) return node.id;
    const holders = this.#holdersOf(tiesOf(fresh));
    const holder = holders.find(({ isNamed }) => isNamed) ?? holders[0];
    const stays = owner && listed.some((endpoint) => owner.ties.has(endpoint));
    return (holder ?? (stays ? owner : undefined))?.id ?? listed[0] ?? "";
  }

  #holdersOf(ties: readonly string[]): Entry[] {
    const holders = new Set<Entry>();
    for (const tie of ties) {
      const holder = this.#holders.get(tie);
      if (holder) holders.add(holder);
    }
    return [...holders];
  }

  /** Nodes whose place a report takes. */
  #rivalsOf(fresh: FreshClaim, entry: Entry): Entry[] {
    return this.#holdersOf(entry.tiesBy(fresh)).filter(
      (holder) => holder !== entry && holder.yieldsTo(fresh),
    );
  }

  /** Free slot for a source, or one that gives way to it. */
  #placeFor(source: Source, entry: Entry, rivals: readonly Entry[]): Place {
    const { via, node, origin } = source;
    if (entry.sources.has(slotOf(source))) return "free";
    const slots = entry.fullSlots(via) ?? (this.#needsSlot(source, rivals) ? this.#slots.get(via) : null);
    return slots?.placeFor({ trust: node.trust, origin }) ?? "free";
  }

  /** A source needs no room if it had a slot before, or takes the place of another. */
  #needsSlot(source: Source, rivals: readonly Entry[]): boolean {
    return !this.#owners.has(slotOf(source)) && !rivals.some((rival) => rival.frees(source.via));
  }

  /** Gives a source its slot, taking it from a former owner. */
  #keep(entry: Entry, source: Source): void {
    const { via, node, origin, expiresMs } = source;
    const slot = slotOf(source);
    const slots = this.#slots.get(via) ?? new FairSet(this.capacity);
    this.#owners.get(slot)?.sources.delete(slot);
    this.#owners.set(slot, entry);
    this.#entries.set(entry.id, entry);
    entry.sources.set(slot, source);
    this.#slots.set(via, slots);
    slots.add(slot, { trust: node.trust, origin });
    if (expiresMs === null) this.#deadlines.delete(slot);
    else this.#deadlines.set(slot, expiresMs);
  }

  #forget(slot: string): void {
    const owner = this.#owners.get(slot);
    const source = owner?.sources.get(slot);
    if (source) this.#slots.get(source.via)?.delete(slot);
    owner?.sources.delete(slot);
    this.#owners.delete(slot);
    this.#deadlines.delete(slot);
    this.#losses.confirm(slot);
  }

  /** Gives a place of a flood to another source. */
  #displace(slot: string): readonly RegistryChange[] {
    if (!this.#owners.has(slot)) return [];
    this.#refused += 1;
    return this.#end([slot], "displaced");
  }

  /**
   * A predecessor that answers for itself stays from now on. It has its endpoints again if it is trusted as
   * much.
   */
  #readmit(entry: Entry, fresh: FreshClaim): void {
    for (const holder of this.#holdersOf(fresh.proven)) {
      if (!holder.isAnsweredBy(fresh)) continue;
      entry.isProvenAlive = true;
      const ties = holder.givesBackTo(fresh) ? entry.tiesBy(fresh) : [];
      for (const tie of ties) if (holder.ties.has(tie)) this.#take(entry, tie);
      holder.readmit(entry.id);
    }
  }

  /** Sources without an identity live on in the successor; those of another identity end. */
  #supersede(rival: Entry, successor: Entry, nowMs: number): RegistryChange[] {
    for (const [slot, source] of rival.sources) {
      if (source.node.id === null && !successor.fullSlots(source.via)) this.#keep(successor, source);
      else this.#forget(slot);
    }
    for (const tie of rival.ties) this.#take(successor, tie);
    successor.follow(rival, nowMs);
    return this.#settle(rival, "superseded");
  }

  #take(entry: Entry, tie: string): void {
    this.#holders.get(tie)?.ties.delete(tie);
    this.#holders.set(tie, entry);
    entry.ties.add(tie);
  }

  /** Makes an entry the holder of a source's ties, unless another is; old ones are given up. */
  #hold(entry: Entry, source: Source): void {
    this.#releaseOld(entry);
    for (const tie of entry.tiesBy(source)) if (!this.#holders.has(tie)) this.#take(entry, tie);
  }

  #end(slots: readonly string[], reason: DownReason): readonly RegistryChange[] {
    const owners = new Set(slots.flatMap((slot) => this.#owners.get(slot) ?? []));
    for (const slot of slots) this.#forget(slot);
    return [...owners].flatMap((entry) => this.#settle(entry, reason));
  }

  /** Updates an entry that lost a source; `reason` is for its end. */
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
    if (entry.ties.size === 0) return;
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
    return isNews(node, before) ? [{ kind: "updated", node }] : [];
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

/** True if more of a node changed than its times, and the way it was heard. */
function isNews(node: NodeInfo, before: NodeInfo): boolean {
  const shown = faceOf(before);
  return faceOf(node).some((value, index) => !isSame(value, shown[index]));
}

function faceOf(node: NodeInfo): unknown[] {
  const sources = node.sources.map(({ transport, key, trust, stale }) => [transport, key, trust, stale]);
  return Object.values({ ...node, sources, health: faceOfHealth(node.health) });
}

function isSame(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
