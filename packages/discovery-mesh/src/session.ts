import type { BlockList } from "node:net";
import {
  type Announced,
  type BrowseQuery,
  type Cancellable,
  DiscoveryError,
  formatEndpoint,
  type Observation,
  type ObservationSink,
  observationStream,
  randomHex,
  rankAddresses,
  type SeenAddress,
  type Standing,
  type SystemInterfaces,
  subnetsOf,
  type TransportContext,
  type TransportSession,
} from "@lmserv/discovery-core";
import type { AliveRecord, Identity } from "@lmserv/discovery-identity";
import type { ClusterKey } from "./link/cluster-key.ts";
import type { Link } from "./link/link.ts";
import type { ListenAddress } from "./link/listen-address.ts";
import { isMeshUrl } from "./link/mesh-url.ts";
import type { Refusal } from "./link/refusal.ts";
import type { Machine } from "./machine.ts";
import type { AliveEntry } from "./membership/directory.ts";
import type { Problem } from "./membership/membership.ts";
import { defaultTiming } from "./membership/timing.ts";
import { reachableAddresses, urlsOf } from "./own-addresses.ts";
import { Participant } from "./participant.ts";
import type { KnownPeer, PeerFile } from "./peer-file.ts";
import { resolveSeed, type Seed } from "./seeds.ts";
import { type Sighting, Sightings } from "./sightings.ts";

export interface SessionOptions {
  readonly name: string;
  readonly identity: Identity;
  readonly cluster: string;
  readonly clusterKeys: readonly ClusterKey[];
  readonly role: "member" | "observer";
  readonly seeds: readonly Seed[];
  readonly listen: readonly ListenAddress[];
  /** Null for those that are found out. */
  readonly advertise: readonly string[] | null;
  readonly candidates: boolean;
  readonly maxPeers: number;
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  readonly ca: string | undefined;
  readonly forcePlain: boolean;
  /** Null for who remembers nobody. */
  readonly peerFile: PeerFile | null;
}

interface Ranked {
  readonly remoteAddress: string | null;
  readonly near: BlockList;
  readonly addresses: readonly SeenAddress[];
}

/** How often names are resolved: more often while there is nobody. */
const lookMs = { alone: 5_000, linked: 60_000 };
/** How long the first peers have to tell what they know, and how long to wait for one at all. */
const settleMs = { linked: 500, alone: 2_500 };
/** Own nodes are repeated so often, to be confirmed in time, and own addresses looked at. */
const repeatMs = defaultTiming.renewMs;
/** A record has room for so many. */
const maxNodes = 16;
const maxUrls = 8;
/** Peers on several networks may see as many addresses; one that changes with every peer is none. */
const maxObserved = 2;
/** The attribute in which a node that was found otherwise may name the port of its mesh. */
const portAttribute = "mesh";

/** One side of a mesh as a transport session. */
export class MeshSession implements TransportSession {
  readonly announce?: NonNullable<TransportSession["announce"]>;
  readonly #context: TransportContext;
  readonly #options: SessionOptions;
  readonly #machine: Machine;
  readonly #participant: Participant;
  readonly #sightings: Sightings;
  readonly #closing = new AbortController();
  readonly #timers = new Map<string, () => void>();
  readonly #nodes = new Map<string, Announced>();
  readonly #observed = new Set<string>();
  readonly #remembered = new Map<string, KnownPeer>();
  /** Why URLs were dialled in vain, until one was not. */
  readonly #misses = new Map<string, string>();
  readonly #unsettled = new Set<ObservationSink>();
  #listening: readonly ListenAddress[] = [];
  #statement = "";
  #joining: Promise<void> | null = null;
  #isSettled = false;
  /** Asking the system takes long, and the answer holds for a while. */
  #system: SystemInterfaces;
  #near: BlockList;
  /** Of each member, how its addresses were ranked last. */
  readonly #ranked = new WeakMap<AliveRecord, Ranked>();
  #closed: Promise<void> | null = null;

  constructor(context: TransportContext, options: SessionOptions, machine: Machine) {
    const { clock, random, log } = context;
    this.#context = context;
    this.#options = options;
    this.#machine = machine;
    this.#system = machine.interfaces();
    this.#near = subnetsOf(this.#system);
    this.#sightings = new Sightings(options.name);
    if (options.role === "member") this.announce = (node, cancellable) => this.#announce(node, cancellable);
    this.#participant = new Participant({
      ...options,
      clock,
      random,
      log,
      instance: randomHex(random, 64),
      on: {
        alive: (entry) => this.#sightings.show(this.#sightingOf(entry)),
        gone: (id, why) => this.#sightings.hide(id, why),
        problem: (kind) => this.#report(kind),
        linked: (link) => this.#meet(link),
        missed: (url, refusal) => this.#miss(url, refusal),
      },
    });
  }

  /** Listens. @throws {RangeError} for an address that needs more protection; what the system says. */
  async open(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#listening = await this.#participant.open();
    this.#say();
    if (!signal.aborted) return;
    await this[Symbol.asyncDispose]();
    throw signal.reason;
  }

  browse(_: BrowseQuery, { signal }: Cancellable): AsyncIterable<Observation> {
    return observationStream({
      signal,
      closed: this.#closing.signal,
      start: (sink) => {
        this.#sightings.add(sink);
        for (const sighting of this.#allSightings()) {
          for (const report of this.#sightings.reportsOf(sighting)) sink.push(report);
        }
        this.#unsettled.add(sink);
        if (this.#isSettled) this.#settle();
        else this.#join();
        return () => {
          this.#sightings.delete(sink);
          this.#unsettled.delete(sink);
        };
      },
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #announce(node: Announced, { signal }: Cancellable): Promise<Standing> {
    signal.throwIfAborted();
    const { id } = node;
    if (!this.#nodes.has(id) && this.#nodes.size >= maxNodes) {
      throw new RangeError(`a member announces ${maxNodes} nodes at most; this would be one more`);
    }
    this.#put(id, node);
    this.#join();
    return {
      update: async (changed) => this.#put(id, { ...changed, id }),
      [Symbol.asyncDispose]: async () => {
        if (!this.#nodes.delete(id) || this.#closing.signal.aborted) return;
        this.#say();
      },
    };
  }

  /** What cannot be said is not kept. */
  #put(id: string, node: Announced): void {
    const before = this.#nodes.get(id);
    this.#nodes.set(id, node);
    try {
      this.#say();
    } catch (error) {
      if (before) this.#nodes.set(id, before);
      else this.#nodes.delete(id);
      throw error;
    }
  }

  #join(): void {
    this.#joining ??= this.#begin();
  }

  async #begin(): Promise<void> {
    const { peerFile, seeds } = this.#options;
    const { clock } = this.#context;
    this.#participant.join();
    this.#after("repeat", repeatMs, () => this.#repeat());
    this.#after("settle", settleMs.alone, () => this.#settle());
    const remembered = (await peerFile?.read(clock.wall())) ?? [];
    if (this.#closing.signal.aborted) return;
    for (const peer of remembered) {
      this.#remembered.set(peer.id, peer);
      this.#participant.remember(peer.id, peer.urls);
    }
    if (seeds.length === 0 && this.#remembered.size === 0) {
      this.#after("settle", settleMs.linked, () => this.#settle());
    }
    await this.#look();
  }

  /** Resolves the seeds, and comes back. */
  async #look(): Promise<void> {
    const isAlone = this.#participant.links().length === 0;
    this.#after("look", isAlone ? lookMs.alone : lookMs.linked, () => void this.#look());
    const { seeds } = this.#options;
    const resolved = await Promise.all(seeds.map((seed) => this.#resolve(seed)));
    if (this.#closing.signal.aborted) return;
    this.#participant.seed([...new Set([...resolved.flat(), ...this.#candidateUrls()])]);
    await this.#save();
  }

  /** What a name led to last holds until it leads elsewhere. */
  readonly #resolved = new Map<Seed, readonly string[]>();

  async #resolve(seed: Seed): Promise<readonly string[]> {
    try {
      const urls = await resolveSeed(seed, this.#machine.names);
      if (urls.length > 0) this.#resolved.set(seed, urls);
    } catch (error) {
      const name = seed.kind === "srv" ? seed.name : seed.url;
      this.#misses.set(name, error instanceof Error ? error.message : String(error));
    }
    return this.#resolved.get(seed) ?? [];
  }

  /** Nodes that other transports found, where they name the port of a mesh. */
  #candidateUrls(): string[] {
    if (!this.#options.candidates) return [];
    const urls = this.#context.nodes.listAlive().flatMap(({ host, attributes, self }) => {
      const port = attributes[portAttribute];
      return self || port === undefined ? [] : [`ws://${formatEndpoint(host, Number(port))}`];
    });
    return urls.filter(isMeshUrl);
  }

  #meet(link: Link): void {
    this.#misses.clear();
    this.#after("settle", settleMs.linked, () => this.#settle());
    const { observedAddress, peer } = link;
    if (peer.role === "member" && peer.advertise.length > 0) this.#remember(peer.id, peer.advertise);
    if (observedAddress === null || observedAddress.includes("%")) return;
    if (this.#observed.size >= maxObserved || this.#observed.has(observedAddress)) return;
    this.#observed.add(observedAddress);
    this.#say();
  }

  #remember(id: string, urls: readonly string[]): void {
    this.#remembered.set(id, { id, urls, seenMs: this.#context.clock.wall() });
  }

  #miss(url: string, refusal: Refusal): void {
    if (refusal.reason !== "self") this.#misses.set(url, refusal.message);
  }

  #settle(): void {
    this.#timers.get("settle")?.();
    if (!this.#isSettled && this.#participant.links().length === 0) this.#reportSilence();
    this.#isSettled = true;
    const { name: via } = this.#options;
    for (const sink of [...this.#unsettled]) sink.push({ kind: "settled", via });
    this.#unsettled.clear();
  }

  /** Says what we are, if that has changed. */
  #say(): void {
    const { advertise, tls, identity, role } = this.#options;
    if (role === "observer") return;
    const own = reachableAddresses(this.#listening, this.#system);
    const observed = [...this.#observed].filter(
      (address) => !own.includes(address) && own.some(isNoLoopback),
    );
    const addresses = [...own, ...observed];
    const urls = advertise ?? urlsOf(this.#listening, addresses, tls !== undefined);
    const hostname = this.#machine.hostname();
    const nodes = [...this.#nodes.values()].map((node) => ({ hostname, ...node }));
    const statement = { addresses, urls: urls.slice(0, maxUrls), nodes };
    const text = JSON.stringify(statement);
    if (text === this.#statement) return;
    this.#participant.say(statement);
    this.#statement = text;
    this.#sightings.show(this.#ownSighting(identity.key.id));
  }

  #repeat(): void {
    this.#after("repeat", repeatMs, () => this.#repeat());
    this.#lookAround();
    this.#say();
    this.#sightings.show(this.#ownSighting(this.#options.identity.key.id));
  }

  #allSightings(): Sighting[] {
    const others = this.#participant.members().map((entry) => this.#sightingOf(entry));
    return [this.#ownSighting(this.#options.identity.key.id), ...others];
  }

  #sightingOf({ id, record, deadlineMs }: AliveEntry): Sighting {
    const remoteAddress = this.#participant.remoteAddress(id);
    const ttlMs = Math.max(1, deadlineMs - this.#context.clock.now());
    return { id, nodes: record.nodes, addresses: this.#rank(record, remoteAddress), ttlMs };
  }

  /** Anew when the record, its link or our own networks are others. */
  #rank(record: AliveRecord, remoteAddress: string | null): readonly SeenAddress[] {
    const near = this.#near;
    const before = this.#ranked.get(record);
    if (before?.remoteAddress === remoteAddress && before.near === near) return before.addresses;
    const addresses = rankAddresses(record.addresses, remoteAddress, near);
    this.#ranked.set(record, { remoteAddress, near, addresses });
    return addresses;
  }

  #lookAround(): void {
    const system = this.#machine.interfaces();
    if (JSON.stringify(system) === JSON.stringify(this.#system)) return;
    this.#system = system;
    this.#near = subnetsOf(system);
  }

  #ownSighting(id: string): Sighting {
    const addresses = rankAddresses(reachableAddresses(this.#listening, this.#system), null, this.#near);
    const hostname = this.#machine.hostname();
    const nodes = [...this.#nodes.values()].map((node) => ({ hostname, ...node }));
    return { id, nodes, addresses, ttlMs: defaultTiming.ttlMs };
  }

  #report(kind: Problem): void {
    const { name: via, maxPeers, identity } = this.#options;
    const error =
      kind === "full"
        ? new DiscoveryError(
            "REGISTRY_FULL",
            `the mesh has ${maxPeers} members, which is its limit; larger fleets use the transports etcd or nats`,
            { via },
          )
        : new DiscoveryError(
            "NAME_CONFLICT",
            `another process has the identity ${identity.key.id}; this one keeps quiet until it is gone`,
            { via },
          );
    this.#context.report(error);
  }

  #reportSilence(): void {
    if (this.#misses.size === 0) return;
    const reasons = [...this.#misses].map(([url, reason]) => `${url}: ${reason}`);
    const message = `no member of the mesh was reached: ${reasons.slice(0, 4).join("; ")}`;
    this.#context.report(new DiscoveryError("NO_ANSWER", message, { via: this.#options.name }));
  }

  async #save(): Promise<void> {
    const { peerFile } = this.#options;
    for (const { id, record } of this.#participant.members()) {
      if (record.urls.length > 0) this.#remember(id, record.urls);
    }
    try {
      await peerFile?.write([...this.#remembered.values()], this.#context.clock.wall());
    } catch (error) {
      this.#context.log("debug", "the peers could not be written down", { error });
    }
  }

  /** Calls back once, unless the session ends; another one of the same name takes its place. */
  #after(name: string, delayMs: number, run: () => void): void {
    this.#timers.get(name)?.();
    if (this.#closing.signal.aborted) return;
    this.#timers.set(name, this.#context.clock.schedule(delayMs, run));
  }

  async #close(): Promise<void> {
    this.#closing.abort();
    for (const cancel of this.#timers.values()) cancel();
    await this.#joining;
    await Promise.all([this.#participant.close(), this.#save()]);
  }
}

function isNoLoopback(address: string): boolean {
  return !address.startsWith("127.") && address !== "::1";
}
