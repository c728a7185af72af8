import type { Clock, Log } from "@lmserv/discovery-core";
import type { Identity } from "@lmserv/discovery-identity";
import type { ClusterKey } from "./link/cluster-key.ts";
import { DialPace } from "./link/dial-pace.ts";
import { dial } from "./link/dialer.ts";
import type { Plain } from "./link/exposure.ts";
import type { Party } from "./link/introduction.ts";
import { defaultLimits } from "./link/limits.ts";
import type { Link, LinkEvents } from "./link/link.ts";
import type { ListenAddress } from "./link/listen-address.ts";
import { type Listener, listen } from "./link/listener.ts";
import type { LinkHost } from "./link/peer-link.ts";
import { Pulse } from "./link/pulse.ts";
import { Refusal, type RefusalReason, refusalLedger } from "./link/refusal.ts";
import type { AliveEntry } from "./membership/directory.ts";
import { type DialFailure, Membership, type Problem } from "./membership/membership.ts";
import { OwnRecord, type Statement } from "./membership/own-record.ts";
import { defaultTiming } from "./membership/timing.ts";
import { clusterVerifier } from "./membership/verifier.ts";

export interface ParticipantOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly identity: Identity;
  /** 64 random bits in hexadecimal. */
  readonly instance: string;
  readonly cluster: string;
  readonly clusterKeys: readonly ClusterKey[];
  readonly role: Party["role"];
  readonly maxPeers: number;
  readonly listen: readonly ListenAddress[];
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  readonly ca: string | undefined;
  readonly plain: Plain;
  readonly on: ParticipantEvents;
}

export interface ParticipantEvents {
  /** A member is new, says something new, or gave a sign of life; `remoteAddress` is that of its link, or null. */
  alive(entry: AliveEntry, remoteAddress: string | null): void;
  gone(id: string, why: "goodbye" | "unreachable"): void;
  problem(kind: Problem): void;
  /** A link began. */
  linked(link: Link): void;
  /** A URL was dialled in vain. */
  missed(url: string, refusal: Refusal): void;
}

const failures: Readonly<Record<string, DialFailure>> = { self: "own", "no-listener": "refused" };

/** What happens to a handshake when either side has more to do than it can. */
const lateReasons: ReadonlySet<RefusalReason> = new Set(["slow", "gone", "not-mesh"]);

/** Membership with links and a clock: one side of the mesh. */
export class Participant {
  readonly #options: ParticipantOptions;
  readonly #membership: Membership;
  readonly #party: Party;
  readonly #host: LinkHost;
  readonly #pace: DialPace;
  readonly #closing = new AbortController();
  readonly #refusals = refusalLedger();
  #listener: Listener | null = null;
  #urls: readonly string[] = [];
  #armedMs = Number.POSITIVE_INFINITY;
  #cancel: () => void = () => {};
  #hasJoined = false;

  constructor(options: ParticipantOptions) {
    const { clock, random, log, identity, instance, cluster, clusterKeys, role, maxPeers, on } = options;
    const { key } = identity;
    const { ttlMs } = defaultTiming;
    const onEpoch = (epoch: number): void => void identity.advance(epoch);
    const own =
      role === "member"
        ? new OwnRecord({ key, cluster, ttlMs, epoch: identity.epoch, instance, onEpoch })
        : null;
    this.#options = options;
    this.#membership = new Membership({
      id: key.id,
      instance,
      own,
      verifier: clusterVerifier(cluster),
      random,
      maxPeers,
      startMs: clock.now(),
      effects: {
        dial: (url) => this.#dial(url),
        alive: (entry) => on.alive(entry, this.linkTo(entry.id)?.remoteAddress ?? null),
        gone: on.gone,
        problem: on.problem,
        dropped: (peer, count) =>
          log("debug", "a message was dropped: malformed, or not signed by who it is about", { peer, count }),
      },
    });
    const urls = (): readonly string[] => this.#urls;
    this.#party = {
      nodeKey: key,
      cluster,
      clusterKeys,
      instance,
      role,
      get epoch() {
        return own?.epoch ?? identity.epoch;
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
      pulse: new Pulse(clock, defaultLimits.pingIntervalMs),
      handler: (link) => this.#adopt(link),
    };
  }

  /** Listens; until it joins, it dials nobody. @throws what `listen` throws. */
  async open(): Promise<readonly ListenAddress[]> {
    const { listen: addresses, tls, plain } = this.#options;
    if (addresses.length === 0) return [];
    this.#listener = await listen({
      addresses,
      party: this.#party,
      host: this.#host,
      refusals: this.#refusals,
      plain,
      ...(tls && { tls }),
    });
    return this.#listener.addresses;
  }

  join(): void {
    this.#hasJoined = true;
    this.#arm();
  }

  seed(urls: readonly string[]): void {
    this.#act((nowMs) => this.#membership.seed(urls, nowMs));
  }

  suggest(urls: readonly string[]): void {
    this.#act((nowMs) => this.#membership.suggest(urls, nowMs));
  }

  remember(id: string, urls: readonly string[]): void {
    this.#act((nowMs) => this.#membership.remember(id, urls, nowMs));
  }

  /** @throws {RangeError} when it takes more than a record may. */
  say(statement: Statement): void {
    this.#urls = statement.urls;
    this.#act(() => this.#membership.say(statement));
  }

  members(): readonly AliveEntry[] {
    return this.#membership.members();
  }

  links(): readonly string[] {
    return this.#membership.links().map(({ peer }) => peer.id);
  }

  /** How many connections came with another key, or for another cluster. */
  get turnedAway(): number {
    const { counts } = this.#refusals;
    return (counts.get("wrong-key") ?? 0) + (counts.get("other-cluster") ?? 0);
  }

  /** The link to a member: where it comes from, and when anything came over it; null for one that others vouch for. */
  linkTo(id: string): Pick<Link, "remoteAddress" | "heardMs"> | null {
    return this.#membership.linksTo(id)[0] ?? null;
  }

  /** Says goodbye and resolves when all connections are gone. */
  async close(): Promise<void> {
    this.#membership.leave();
    this.#cancel();
    this.#closing.abort();
    const links = this.#membership.links();
    await Promise.all([
      ...links.map((link) => link.close("leaving")),
      this.#listener?.[Symbol.asyncDispose](),
    ]);
  }

  #adopt(link: Link): LinkEvents {
    this.#act((nowMs) => this.#membership.linkUp(link, nowMs));
    this.#options.on.linked(link);
    return {
      message: (text) => this.#act((nowMs) => this.#membership.received(link, text, nowMs)),
      closed: (end) => {
        this.#options.log("debug", "a link ended", { peer: link.peer.id, ...end });
        this.#act((nowMs) => this.#membership.linkDown(link, end, nowMs));
      },
    };
  }

  async #dial(url: string): Promise<void> {
    const { ca, plain, on } = this.#options;
    const turn = await this.#pace.turn();
    try {
      await dial({
        url,
        party: this.#party,
        host: this.#host,
        signal: this.#closing.signal,
        plain,
        connected: () => turn.connected(),
        ...(ca !== undefined && { ca }),
      });
      turn.end("done");
    } catch (error) {
      turn.end(error instanceof Refusal && lateReasons.has(error.reason) ? "late" : "refused");
      if (this.#closing.signal.aborted) return;
      if (!(error instanceof Refusal)) throw error;
      this.#options.log("debug", `dialled in vain: ${error.message}`, { url, reason: error.reason });
      const why = failures[error.reason] ?? "unreachable";
      this.#act((nowMs) => this.#membership.dialFailed(url, why, nowMs));
      on.missed(url, error);
    }
  }

  #act(act: (nowMs: number) => void): void {
    act(this.#options.clock.now());
    this.#arm();
  }

  /** One timer; one that is early does no harm. */
  #arm(): void {
    const { clock } = this.#options;
    if (!this.#hasJoined || this.#closing.signal.aborted) return;
    const nowMs = clock.now();
    const nextMs = this.#membership.nextMs(nowMs);
    if (nextMs >= this.#armedMs) return;
    this.#cancel();
    this.#armedMs = nextMs;
    this.#cancel = clock.schedule(nextMs - nowMs, () => {
      this.#armedMs = Number.POSITIVE_INFINITY;
      this.#act((firedMs) => this.#membership.tick(firedMs, clock.wall()));
    });
  }
}
