import {
  type Announced,
  type BrowseQuery,
  type Cancellable,
  DiscoveryError,
  type Observation,
  type ObservationSink,
  observationStream,
  randomHex,
  type Standing,
  type TransportContext,
  type TransportSession,
} from "@lmserv/discovery-core";
import { type Identity, mendCopy } from "@lmserv/discovery-identity";
import { attributesOf, followCandidates } from "./candidates.ts";
import { Contacts } from "./contacts.ts";
import type { ClusterKey } from "./link/cluster-key.ts";
import type { Plain } from "./link/exposure.ts";
import type { Link } from "./link/link.ts";
import type { ListenAddress } from "./link/listen-address.ts";
import type { Machine } from "./machine.ts";
import type { AliveEntry } from "./membership/directory.ts";
import type { Problem } from "./membership/membership.ts";
import { defaultTiming } from "./membership/timing.ts";
import { Participant } from "./participant.ts";
import type { PeerFile } from "./peer-file.ts";
import { Profile } from "./profile.ts";
import type { Seed } from "./seeds.ts";
import { type Sighting, Sightings } from "./sightings.ts";
import { Silence } from "./silence.ts";
import { Surroundings } from "./surroundings.ts";

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
  readonly plain: Plain;
  /** Whether nothing that nobody signed leads to unencrypted links. */
  readonly secure: boolean;
  /** Null for who remembers nobody. */
  readonly peerFile: PeerFile | null;
}

/** How often names are resolved: more often while there is nobody. */
const lookMs = { alone: 5_000, linked: 60_000 };
/** How long the first peers have to tell what they know, and how long to wait for one at all. */
const settleMs = { linked: 500, alone: 2_500 };
/** Members may all be away for so long, as when one is restarted. */
const patienceMs = 60_000;
/** Own nodes are repeated so often, to be confirmed in time, and own addresses looked at. */
const repeatMs = defaultTiming.renewMs;
/** One side of a mesh as a transport session. */
export class MeshSession implements TransportSession {
  readonly announce?: NonNullable<TransportSession["announce"]>;
  readonly #context: TransportContext;
  readonly #options: SessionOptions;
  readonly #participant: Participant;
  readonly #sightings: Sightings;
  readonly #contacts: Contacts;
  readonly #surroundings: Surroundings;
  readonly #profile: Profile;
  readonly #closing = new AbortController();
  readonly #timers = new Map<string, () => void>();
  readonly #silence = new Silence();
  /** Since when there is no link, as far as was looked. */
  #aloneSinceMs: number | null = null;
  readonly #unsettled = new Set<ObservationSink>();
  #statement = "";
  #unfollow: () => void = () => {};
  #joining: Promise<void> | null = null;
  #isSettled = false;
  #closed: Promise<void> | null = null;

  constructor(context: TransportContext, options: SessionOptions, machine: Machine) {
    const { clock, random, log } = context;
    const { name, identity, advertise, tls, role } = options;
    this.#context = context;
    this.#options = options;
    this.#sightings = new Sightings(name);
    this.#contacts = new Contacts({
      ...options,
      context,
      names: machine.names,
      onMiss: (seed, reason) => this.#silence.miss(seed, "unresolved", reason),
    });
    this.#surroundings = new Surroundings(machine);
    this.#profile = new Profile({
      id: identity.key.id,
      surroundings: this.#surroundings,
      hostname: () => machine.hostname(),
      advertise,
      secure: tls !== undefined,
    });
    if (role === "member") this.announce = (node, cancellable) => this.#announce(node, cancellable);
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
        missed: (url, { reason, message }) => {
          if (reason !== "self") this.#silence.miss(url, reason, message);
        },
      },
    });
  }

  get attributes(): Readonly<Record<string, string>> {
    const { candidates, tls } = this.#options;
    return candidates ? attributesOf(this.#profile.listening, tls !== undefined) : {};
  }

  /** Listens. @throws {RangeError} for an address that needs more protection; what the system says. */
  async open(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#profile.listening = await this.#participant.open();
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
    const put = (changed: Announced): void => this.#profile.put(changed, () => this.#say());
    put(node);
    this.#join();
    return {
      update: async (changed) => put({ ...changed, id }),
      [Symbol.asyncDispose]: async () => {
        if (this.#profile.remove(id) && !this.#closing.signal.aborted) this.#say();
      },
    };
  }

  #join(): void {
    this.#joining ??= this.#begin();
  }

  async #begin(): Promise<void> {
    this.#participant.join();
    this.#after("repeat", repeatMs, () => this.#repeat());
    this.#after("settle", settleMs.alone, () => this.#settle());
    const remembered = await this.#contacts.recall();
    if (this.#closing.signal.aborted) return;
    for (const { id, urls } of remembered) this.#participant.remember(id, urls);
    const isHelped = this.#follow();
    if (this.#contacts.isEmpty && !isHelped) {
      this.#after("settle", settleMs.linked, () => this.#settle());
    }
    await this.#look();
  }

  /** Dials whom other transports find; false where there are none. */
  #follow(): boolean {
    const { follow } = this.#context;
    const { candidates, name, secure } = this.#options;
    if (!candidates || !follow) return false;
    const onChange = (urls: readonly string[]): void => this.#participant.suggest(urls);
    this.#unfollow = followCandidates({ follow, name, secure, onChange });
    return true;
  }

  /** Looks up where to dial, and comes back. */
  async #look(): Promise<void> {
    const isAlone = this.#participant.links().length === 0;
    this.#after("look", isAlone ? lookMs.alone : lookMs.linked, () => void this.#look());
    if (isAlone) this.#remind();
    else this.#aloneSinceMs = null;
    const urls = await this.#contacts.urls();
    if (this.#closing.signal.aborted) return;
    this.#participant.seed(urls);
    await this.#contacts.save(this.#participant.members());
  }

  #meet({ observedAddress, peer }: Link): void {
    this.#silence.end();
    this.#after("settle", settleMs.linked, () => this.#settle());
    if (peer.role === "member") this.#contacts.remember(peer.id, peer.advertise);
    if (observedAddress !== null && this.#profile.observe(observedAddress)) this.#say();
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
    if (this.#options.role === "observer") return;
    const statement = this.#profile.statement();
    const text = JSON.stringify(statement);
    if (text === this.#statement) return;
    this.#participant.say(statement);
    this.#statement = text;
    this.#sightings.show(this.#profile.sighting());
  }

  #repeat(): void {
    this.#after("repeat", repeatMs, () => this.#repeat());
    this.#surroundings.look();
    this.#say();
    this.#sightings.show(this.#profile.sighting());
  }

  #allSightings(): Sighting[] {
    const others = this.#participant.members().map((entry) => this.#sightingOf(entry));
    return [this.#profile.sighting(), ...others];
  }

  #sightingOf({ id, record, deadlineMs }: AliveEntry): Sighting {
    const { remoteAddress, heardMs } = this.#participant.linkTo(id) ?? { remoteAddress: null, heardMs: null };
    const addresses = this.#surroundings.rankOf(record, remoteAddress);
    const ttlMs = Math.max(1, deadlineMs - this.#context.clock.now());
    return { id, nodes: record.nodes, addresses, ttlMs, relayed: remoteAddress === null, heardMs };
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
            `another process has our key; this one keeps quiet until it is gone; ${mendCopy(identity)}`,
            { via },
          );
    this.#context.report(error);
  }

  /** A mesh without members for a while, which may have had some before. */
  #remind(): void {
    const nowMs = this.#context.clock.now();
    this.#aloneSinceMs ??= nowMs;
    if (this.#isSettled && nowMs - this.#aloneSinceMs >= patienceMs) this.#reportSilence();
  }

  #reportSilence(): void {
    const reason = this.#silence.reason({
      turnedAway: this.#participant.turnedAway,
      knowsNobody: this.#options.role === "observer" && this.#contacts.isEmpty,
      nowMs: this.#context.clock.now(),
    });
    if (reason === null) return;
    const message = `no member of the mesh was reached: ${reason}`;
    this.#context.report(new DiscoveryError("NO_ANSWER", message, { via: this.#options.name }));
  }

  /** Calls back once, unless the session ends; another one of the same name takes its place. */
  #after(name: string, delayMs: number, run: () => void): void {
    this.#timers.get(name)?.();
    if (this.#closing.signal.aborted) return;
    this.#timers.set(name, this.#context.clock.schedule(delayMs, run));
  }

  async #close(): Promise<void> {
    this.#closing.abort();
    this.#unfollow();
    for (const cancel of this.#timers.values()) cancel();
    const members = this.#participant.members();
    // A goodbye does not wait for a disk.
    await Promise.all([this.#participant.close(), this.#joining?.then(() => this.#contacts.save(members))]);
  }
}
