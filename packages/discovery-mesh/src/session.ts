import { DiscoveryError } from "@lmserv/discovery-core";
import {
  type BrowseQuery,
  type Cancellable,
  type Observation,
  type ObservationSink,
  observationStream,
  type Registration,
  type ResolvedAnnouncement,
  randomHex,
  type TransportContext,
  type TransportSession,
} from "@lmserv/discovery-core/transport";
import { copiedKeyAdvice, type Identity } from "@lmserv/discovery-signing";
import { attributesOf } from "./candidates.ts";
import type { ClusterKey } from "./link/cluster-key.ts";
import { DialPace } from "./link/dial-pace.ts";
import { dial } from "./link/dialer.ts";
import type { Plain } from "./link/exposure.ts";
import type { Party } from "./link/handshake-hello.ts";
import { PingSchedule } from "./link/heartbeat.ts";
import { defaultLimits } from "./link/limits.ts";
import type { Link, LinkEvents } from "./link/link.ts";
import type { ListenAddress } from "./link/listen-address.ts";
import { type Listener, listen } from "./link/listener.ts";
import type { LinkHost } from "./link/peer-link.ts";
import { Refusal, type RefusalReason } from "./link/refusal.ts";
import { Listing, type SeenMember } from "./listing.ts";
import { LocalMember } from "./local-member.ts";
import type { AliveEntry } from "./membership/directory.ts";
import { type DialFailure, Membership, type Problem } from "./membership/membership.ts";
import { defaultTiming } from "./membership/timing.ts";
import { Platform } from "./platform.ts";
import { type Act, Search, type SearchOptions } from "./search.ts";

export interface SessionOptions extends SearchOptions {
  readonly identity: Identity;
  readonly cluster: string;
  readonly clusterKeys: readonly ClusterKey[];
  readonly listen: readonly ListenAddress[];
  /** Null for those that are found out. */
  readonly advertise: readonly string[] | null;
  readonly maxPeers: number;
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  readonly ca: string | undefined;
  readonly plain: Plain;
}

/** How long the first peers have to tell what they know, and how long to wait for one at all. */
const settleMs = { linked: 500, alone: 2_500 };
/** Own nodes are repeated so often, to be confirmed in time; own addresses and sockets looked at. */
const repeatMs = defaultTiming.renewMs;
const failures: Readonly<Record<string, DialFailure>> = { self: "own", "no-listener": "refused" };
/** What happens to a handshake when either side has more to do than it can. */
const lateReasons: ReadonlySet<RefusalReason> = new Set(["slow", "gone", "not-mesh"]);

/** One side of a mesh as a transport session: membership with links and a clock. */
export class MeshSession implements TransportSession {
  readonly announce?: NonNullable<TransportSession["announce"]>;
  readonly #context: TransportContext;
  readonly #options: SessionOptions;
  readonly #membership: Membership;
  readonly #party: Party;
  readonly #host: LinkHost;
  readonly #pace: DialPace;
  readonly #platform = new Platform();
  readonly #localMember: LocalMember;
  readonly #listing: Listing;
  readonly #search: Search;
  readonly #unsettled = new Set<ObservationSink>();
  /** Aborted at its disposal. */
  readonly #closing = new AbortController();
  /** Aborted at its disposal, or when it fails. */
  readonly #ending = new AbortController();
  #failure: DiscoveryError | null = null;
  #listener: Listener | null = null;
  #urls: readonly string[] = [];
  #statement = "";
  #hasJoined = false;
  #isSettled = false;
  #armedMs = Number.POSITIVE_INFINITY;
  #cancelTick: () => void = () => {};
  #cancelSettle: () => void = () => {};
  #cancelRepeat: () => void = () => {};
  #closed: Promise<void> | null = null;

  constructor(context: TransportContext, options: SessionOptions) {
    const { clock, random, log } = context;
    const { name, identity, cluster, clusterKeys, advertise, tls, role, maxPeers } = options;
    const { key } = identity;
    const instance = randomHex(random, 64);
    const onEpoch = (epoch: number): void => void identity.advance(epoch);
    this.#context = context;
    this.#options = options;
    this.#listing = new Listing(name);
    this.#localMember = new LocalMember({
      id: key.id,
      platform: this.#platform,
      advertise,
      secure: tls !== undefined,
    });
    const membership = new Membership({
      id: key.id,
      instance,
      own: role === "member" ? { key, epoch: identity.epoch, onEpoch } : null,
      cluster,
      random,
      maxPeers,
      startMs: clock.now(),
      effects: {
        dial: (url) => void this.#dial(url),
        alive: (entry) => this.#listing.show(this.#seen(entry)),
        gone: (id, why) => this.#listing.hide(id, why),
        problem: (kind) => this.#report(kind),
        dropped: (peer, count) =>
          log("debug", "a message was dropped: malformed, or not signed by who it is about", { peer, count }),
      },
    });
    this.#membership = membership;
    const act: Act = (run) => this.#act((nowMs) => run(membership, nowMs));
    this.#search = new Search(context, options, membership, act);
    const urls = (): readonly string[] => this.#urls;
    this.#party = {
      nodeKey: key,
      cluster,
      clusterKeys,
      instance,
      role,
      get epoch() {
        return membership.epoch ?? identity.epoch;
      },
      get advertise() {
        return urls();
      },
    };
    this.#pace = new DialPace(clock);
    this.#host = {
      clock,
      log,
      limits: defaultLimits,
      pings: new PingSchedule(clock, defaultLimits.pingIntervalMs),
      handler: (link) => this.#adopt(link),
    };
    if (role === "member") this.announce = (node, cancellable) => this.#announce(node, cancellable);
  }

  get attributes(): Readonly<Record<string, string>> {
    const { candidates, tls } = this.#options;
    return candidates ? attributesOf(this.#localMember.listening, tls !== undefined) : {};
  }

  /**
   * Listens; until somebody browses or announces, nobody is dialled.
   *
   * @throws {RangeError} for an address that needs more protection; what the system says.
   */
  async open(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { listen: addresses, tls, plain } = this.#options;
    if (addresses.length > 0) {
      this.#listener = await listen({
        addresses,
        party: this.#party,
        host: this.#host,
        plain,
        ...(tls && { tls }),
        refused: (refusal) => this.#search.refused(refusal),
        failed: (error) => this.#fail(error),
      });
      this.#localMember.listening = this.#listener.addresses;
    }
    this.#say();
    this.#repeat();
    if (!signal.aborted) return;
    await this[Symbol.asyncDispose]();
    throw signal.reason;
  }

  browse(_: BrowseQuery, { signal }: Cancellable): AsyncIterable<Observation> {
    return observationStream({
      signal,
      closed: this.#closing.signal,
      start: (sink) => {
        if (this.#failure) throw this.#failure;
        const others = this.#membership.members().map((entry) => this.#seen(entry));
        const remove = this.#listing.add(sink, [this.#localMember.seen(), ...others]);
        this.#unsettled.add(sink);
        if (this.#isSettled) this.#settle();
        else this.#join();
        return () => {
          remove();
          this.#unsettled.delete(sink);
        };
      },
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #announce(node: ResolvedAnnouncement, { signal }: Cancellable): Promise<Registration> {
    signal.throwIfAborted();
    if (this.#failure) throw this.#failure;
    const { id } = node;
    const put = (changed: ResolvedAnnouncement): void => this.#localMember.put(changed, () => this.#say());
    put(node);
    this.#join();
    return {
      update: async (changed) => put({ ...changed, id }),
      [Symbol.asyncDispose]: async () => {
        if (this.#localMember.remove(id) && !this.#ending.signal.aborted) this.#say();
      },
    };
  }

  #join(): void {
    if (this.#hasJoined) return;
    this.#hasJoined = true;
    this.#arm();
    this.#settleIn(settleMs.alone);
    void this.#search.begin().then((isHopeful) => {
      if (!isHopeful) this.#settleIn(settleMs.linked);
    });
  }

  #adopt(link: Link): LinkEvents {
    const { peer, observedAddress } = link;
    this.#act((nowMs) => this.#membership.linkUp(link, nowMs));
    this.#search.met(link);
    this.#settleIn(settleMs.linked);
    if (observedAddress !== null && this.#localMember.observe(observedAddress)) this.#say();
    return {
      message: (text) => this.#act((nowMs) => this.#membership.received(link, text, nowMs)),
      closed: (end) => {
        this.#context.log("debug", "a link ended", { peer: peer.id, ...end });
        this.#act((nowMs) => this.#membership.linkDown(link, end, nowMs));
      },
    };
  }

  async #dial(url: string): Promise<void> {
    const { ca, plain } = this.#options;
    const { signal } = this.#ending;
    const turn = await this.#pace.turn();
    try {
      const connected = (): void => turn.connected();
      const way = { url, signal, plain, connected, ...(ca !== undefined && { ca }) };
      await dial({ ...way, party: this.#party, host: this.#host });
      turn.end("done");
    } catch (error) {
      turn.end(error instanceof Refusal && lateReasons.has(error.reason) ? "late" : "refused");
      if (signal.aborted) return;
      if (!(error instanceof Refusal)) throw error;
      this.#context.log("debug", `dialled in vain: ${error.message}`, { url, reason: error.reason });
      const why = failures[error.reason] ?? "unreachable";
      this.#act((nowMs) => this.#membership.dialFailed(url, why, nowMs));
      this.#search.missed(url, error);
    }
  }

  #act(run: (nowMs: number) => void): void {
    run(this.#context.clock.now());
    this.#arm();
  }

  /** One timer; one that is early does no harm. */
  #arm(): void {
    const { clock } = this.#context;
    if (!this.#hasJoined || this.#ending.signal.aborted) return;
    const nowMs = clock.now();
    const nextMs = this.#membership.nextMs(nowMs);
    if (nextMs >= this.#armedMs) return;
    this.#cancelTick();
    this.#armedMs = nextMs;
    this.#cancelTick = clock.schedule(nextMs - nowMs, () => {
      this.#armedMs = Number.POSITIVE_INFINITY;
      this.#act((firedMs) => this.#membership.tick(firedMs, clock.wall()));
    });
  }

  /** A later moment takes the place of an earlier one. */
  #settleIn(delayMs: number): void {
    this.#cancelSettle();
    if (this.#ending.signal.aborted) return;
    this.#cancelSettle = this.#context.clock.schedule(delayMs, () => this.#settle());
  }

  #settle(): void {
    this.#cancelSettle();
    if (!this.#isSettled && this.#membership.links().length === 0) this.#search.reportSilence();
    this.#isSettled = true;
    const { name: via } = this.#options;
    for (const sink of [...this.#unsettled]) sink.push({ kind: "settled", via });
    this.#unsettled.clear();
  }

  /** Says what we are, if that has changed. @throws {RangeError} when it takes more than a record may. */
  #say(): void {
    if (this.#options.role === "observer") return;
    const statement = this.#localMember.statement();
    const text = JSON.stringify(statement);
    if (text === this.#statement) return;
    this.#urls = statement.urls;
    this.#act(() => this.#membership.say(statement));
    this.#statement = text;
    this.#listing.show(this.#localMember.seen());
  }

  #repeat(): void {
    this.#cancelRepeat = this.#context.clock.schedule(repeatMs, () => {
      this.#listener?.check();
      this.#platform.look();
      this.#say();
      this.#listing.show(this.#localMember.seen());
      this.#repeat();
    });
  }

  #seen({ id, record, deadlineMs }: AliveEntry): SeenMember {
    const [link] = this.#membership.linksTo(id);
    return {
      id,
      nodes: record.nodes,
      addresses: this.#platform.rankOf(record, link?.remoteAddress ?? null),
      ttlMs: Math.max(1, deadlineMs - this.#context.clock.now()),
      relayed: link === undefined,
      heardMs: link?.heardMs ?? null,
    };
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
            `another process has our key; this one keeps quiet until it is gone; ${copiedKeyAdvice(identity)}`,
            { via },
          );
    this.#context.report(error);
  }

  /** Nobody can come any more. Members see a crash: what was announced is to be said again by the next session. */
  #fail(cause: Error): void {
    if (this.#ending.signal.aborted) return;
    const { name: via } = this.#options;
    const message = `the mesh does not listen any more: ${cause.message}`;
    this.#failure = new DiscoveryError("TRANSPORT_FAILED", message, { via, cause });
    this.#stop();
    for (const link of this.#membership.links()) link.terminate();
    if (this.#listing.fail(this.#failure) === 0) this.#context.report(this.#failure);
  }

  #stop(): void {
    this.#ending.abort();
    this.#search.stop();
    this.#cancelTick();
    this.#cancelSettle();
    this.#cancelRepeat();
  }

  /** Says goodbye, unless it failed; resolves when all connections are gone. */
  async #close(): Promise<void> {
    this.#closing.abort();
    if (!this.#failure) this.#membership.leave();
    this.#stop();
    this.#listener?.close();
    // A goodbye does not wait for a disk.
    await Promise.all([
      ...this.#membership.links().map((link) => link.close("leaving")),
      this.#hasJoined && this.#search.save(),
    ]);
  }
}
