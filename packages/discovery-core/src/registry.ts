import { formatEndpoint } from "./address.ts";
import { Deadlines } from "./deadlines.ts";
import { mergeSources, type Source } from "./merge.ts";
import type { NodeInfo, SeenNode } from "./node.ts";
import type { Alive, Gone, Observation } from "./transport.ts";

/** Why a node is no longer listed; `superseded`: another identity answers at its endpoint. */
export type DownReason = "goodbye" | "unreachable" | "expired" | "superseded";

export type RegistryChange =
  | { readonly kind: "up"; readonly node: NodeInfo }
  | { readonly kind: "updated"; readonly node: NodeInfo }
  | { readonly kind: "down"; readonly node: NodeInfo; readonly reason: DownReason };

export interface RegistryOptions {
  /** How many nodes are kept; newcomers beyond are refused. @default 10_000 */
  readonly capacity?: number;
  /** Tells whether this process announced the node. @default nothing is its own */
  readonly isSelf?: (id: string) => boolean;
}

/** A host has a few interfaces and a deployment a few transports; more for one node is a flood. */
const maxSourcesPerNode = 32;
/** Identities that once held an endpoint and are refused while its present holder lives. */
const maxPredecessors = 8;

interface Entry {
  readonly id: string;
  /** Named by its endpoint, for want of an announced identity. */
  readonly anonymous: boolean;
  readonly sources: Map<string, Source>;
  /** What users were told last. */
  node: NodeInfo;
  /** The visible part of `node`, to tell an update from a repetition. */
  face: string;
  /** Endpoints proven by a source, of which this entry is the holder. */
  endpoints: readonly string[];
  predecessors: readonly string[];
}

/**
 * The one list of nodes that every transport feeds.
 *
 * Synchronous and timerless: state in, changes out. A node has one entry, an entry one deadline for each
 * source, and goes down when its last source ends.
 */
export class Registry {
  readonly capacity: number;
  readonly #isSelf: (id: string) => boolean;
  readonly #entries = new Map<string, Entry>();
  /** Which entry a source, named by `(via, key)`, belongs to. */
  readonly #owners = new Map<string, Entry>();
  /** Which entry answers at an endpoint, as far as a packet from there proves it. */
  readonly #holders = new Map<string, Entry>();
  readonly #deadlines = new Deadlines();
  #refused = 0;

  constructor({ capacity = 10_000, isSelf = () => false }: RegistryOptions = {}) {
    if (!Number.isInteger(capacity) || capacity < 1) {
      throw new RangeError(`capacity ${capacity} must be an integer of at least 1`);
    }
    this.capacity = capacity;
    this.#isSelf = isSelf;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** How many observations were refused because the registry, or the node's list of sources, was full. */
  get refused(): number {
    return this.#refused;
  }

  get(id: string): NodeInfo | null {
    return this.#entries.get(id)?.node ?? null;
  }

  /** Every node, in the order of arrival. */
  listAlive(): readonly NodeInfo[] {
    return [...this.#entries.values()].map((entry) => entry.node);
  }

  /** When the next source ends unless it is heard again, in ms of the clock that `apply` is given, or null. */
  nextDeadlineMs(): number | null {
    return this.#deadlines.first()?.atMs ?? null;
  }

  apply(observation: Observation, nowMs: number): readonly RegistryChange[] {
    if (observation.kind === "alive") return this.#applyAlive(observation, nowMs);
    if (observation.kind === "gone") return this.#applyGone(observation);
    return [];
  }

  /** Ends every source whose deadline is at or before `nowMs`. */
  expire(nowMs: number): readonly RegistryChange[] {
    const changes: RegistryChange[] = [];
    for (let due = this.#deadlines.first(); due && due.atMs <= nowMs; due = this.#deadlines.first()) {
      const entry = this.#owners.get(due.key);
      if (entry) changes.push(...this.#removeSource(entry, due.key, "expired"));
    }
    return changes;
  }

  #applyAlive(observation: Alive, nowMs: number): RegistryChange[] {
    const slot = slotOf(observation);
    const id = this.#identify(observation.node);
    if (id === null || !this.#hasRoom(id, slot)) return [];
    const changes: RegistryChange[] = [];
    const before = this.#owners.get(slot);
    if (before && before.id !== id) changes.push(...this.#removeSource(before, slot, "superseded"));
    const entry = this.#entries.get(id);
    const source = sourceOf(observation, entry?.sources.get(slot), nowMs);
    const anonymous = observation.node.id === null;
    if (!entry) return [...changes, ...this.#addEntry(id, anonymous, slot, source)];
    this.#keep(entry, slot, source);
    return [...changes, ...this.#takeEndpoints(entry), ...this.#refresh(entry)];
  }

  /** Which node a report is about, or null for one whose endpoint belongs to its successor. */
  #identify(node: SeenNode): string | null {
    const [endpoint] = provenEndpoints(node);
    const holder = endpoint === undefined ? undefined : this.#holders.get(endpoint);
    if (node.id !== null) return holder?.predecessors.includes(node.id) ? null : node.id;
    return holder?.id ?? formatEndpoint(node.addresses[0]?.address ?? "", node.port);
  }

  #hasRoom(id: string, slot: string): boolean {
    const entry = this.#entries.get(id);
    const room = entry
      ? entry.sources.has(slot) || entry.sources.size < maxSourcesPerNode
      : this.#entries.size < this.capacity;
    if (!room) this.#refused += 1;
    return room;
  }

  #addEntry(id: string, anonymous: boolean, slot: string, source: Source): RegistryChange[] {
    const sources = new Map<string, Source>();
    const node = mergeSources(id, [source], this.#isSelf(id));
    const entry: Entry = { id, anonymous, sources, node, face: "", endpoints: [], predecessors: [] };
    this.#entries.set(id, entry);
    this.#keep(entry, slot, source);
    const changes = this.#takeEndpoints(entry);
    this.#remerge(entry);
    return [...changes, { kind: "up", node: entry.node }];
  }

  #keep(entry: Entry, slot: string, source: Source): void {
    entry.sources.set(slot, source);
    this.#owners.set(slot, entry);
    this.#deadlines.set(slot, source.expiresMs);
  }

  /** Makes the entry the holder of every endpoint that its sources prove; previous holders give way. */
  #takeEndpoints(entry: Entry): RegistryChange[] {
    const proven = new Set([...entry.sources.values()].flatMap((source) => provenEndpoints(source.node)));
    for (const endpoint of entry.endpoints) {
      if (!proven.has(endpoint)) this.#holders.delete(endpoint);
    }
    const changes: RegistryChange[] = [];
    const held: string[] = [];
    for (const endpoint of proven) {
      const holder = this.#holders.get(endpoint);
      if (holder && holder !== entry) {
        if (!supersedes(entry, holder)) continue;
        changes.push(...this.#supersede(holder, entry));
      }
      this.#holders.set(endpoint, entry);
      held.push(endpoint);
    }
    entry.endpoints = held;
    return changes;
  }

  /** Sources without an identity live on in the successor; those of another identity end. */
  #supersede(predecessor: Entry, successor: Entry): RegistryChange[] {
    for (const [slot, source] of predecessor.sources) {
      if (source.node.id === null && successor.sources.size < maxSourcesPerNode) {
        this.#keep(successor, slot, source);
      } else {
        this.#forget(slot);
      }
    }
    if (!predecessor.anonymous) {
      const ids = [predecessor.id, ...predecessor.predecessors, ...successor.predecessors];
      successor.predecessors = ids.filter((id) => id !== successor.id).slice(0, maxPredecessors);
    }
    return [this.#removeEntry(predecessor, "superseded")];
  }

  #applyGone(observation: Gone): readonly RegistryChange[] {
    const slot = slotOf(observation);
    const entry = this.#owners.get(slot);
    return entry ? this.#removeSource(entry, slot, observation.reason) : [];
  }

  #removeSource(entry: Entry, slot: string, reason: DownReason): readonly RegistryChange[] {
    entry.sources.delete(slot);
    this.#forget(slot);
    if (entry.sources.size === 0) return [this.#removeEntry(entry, reason)];
    return [...this.#takeEndpoints(entry), ...this.#refresh(entry)];
  }

  #forget(slot: string): void {
    this.#owners.delete(slot);
    this.#deadlines.delete(slot);
  }

  #removeEntry(entry: Entry, reason: DownReason): RegistryChange {
    this.#entries.delete(entry.id);
    for (const endpoint of entry.endpoints) this.#holders.delete(endpoint);
    return { kind: "down", node: entry.node, reason };
  }

  #refresh(entry: Entry): RegistryChange[] {
    const before = entry.face;
    this.#remerge(entry);
    return entry.face === before ? [] : [{ kind: "updated", node: entry.node }];
  }

  #remerge(entry: Entry): void {
    entry.node = mergeSources(entry.id, [...entry.sources.values()], this.#isSelf(entry.id));
    entry.face = faceOf(entry.node);
  }
}

function slotOf({ via, key }: Alive | Gone): string {
  return `${via}\0${key}`;
}

function sourceOf(
  { via, key, node, ttlMs, stale }: Alive,
  before: Source | undefined,
  nowMs: number,
): Source {
  const same = before !== undefined && JSON.stringify(before.node) === JSON.stringify(node);
  return {
    via,
    key,
    node: same ? before.node : node,
    firstSeenMs: before?.firstSeenMs ?? nowMs,
    lastSeenMs: nowMs,
    changedMs: same ? before.changedMs : nowMs,
    expiresMs: nowMs + ttlMs,
    stale: stale ?? null,
  };
}

/**
 * The endpoints at which a packet from there, or a signature, proves the node to be.
 *
 * Neither a loopback address nor another host's bridge can be one: what others merely list proves nothing.
 */
function provenEndpoints(node: SeenNode): string[] {
  const proven = node.addresses.filter(
    ({ reach }) => reach === "source" || (reach === "on-link" && node.trust === "signed"),
  );
  return proven.map(({ address }) => formatEndpoint(address, node.port));
}

/** Whoever has an identity takes the endpoint from whoever has none; signed ones yield to signed ones only. */
function supersedes(entry: Entry, holder: Entry): boolean {
  if (entry.anonymous) return false;
  return isSigned(entry) || !isSigned(holder);
}

function isSigned(entry: Entry): boolean {
  return [...entry.sources.values()].some((source) => source.node.trust === "signed");
}

function faceOf(node: NodeInfo): string {
  const sources = node.sources.map(({ transport, key, trust, stale }) => [transport, key, trust, stale]);
  return JSON.stringify({ ...node, sources });
}
