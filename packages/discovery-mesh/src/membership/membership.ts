import { Standstill } from "@lmserv/discovery-core/transport";
import type { VerifyOptions } from "@lmserv/discovery-signing";
import type { Link, LinkClose, LinkEnd } from "../link/link.ts";
import { DialPlan } from "./dial-plan.ts";
import { type AliveEntry, Directory, isAlive } from "./directory.ts";
import { FailureDetector } from "./failure-detector.ts";
import { Gossip } from "./gossip.ts";
import { IndirectAcks } from "./indirect-acks.ts";
import { LinkBook } from "./link-book.ts";
import { type LocalIdentity, LocalRecord, type Statement } from "./local-record.ts";
import { type Message, readMessage } from "./message.ts";
import { defaultTiming, type Timing } from "./timing.ts";

export interface MembershipOptions extends Pick<VerifyOptions, "cluster" | "scheme"> {
  /** Ours; of an observer's key when `own` is null. */
  readonly id: string;
  /** Random, another one for each process. */
  readonly instance: string;
  /** What we say; null for an observer, who only listens. */
  readonly own: LocalIdentity | null;
  readonly random: () => number;
  readonly effects: MembershipEffects;
  /** How many members a mesh has at most, ourselves included. */
  readonly maxPeers: number;
  readonly startMs: number;
  readonly timing?: Timing;
}

/** What comes of it; called in the turn in which it happens. */
export interface MembershipEffects {
  /** Dials a URL; the outcome is reported by `linkUp` or `dialFailed`. */
  dial(url: string): void;
  /** A member is new, says something new, or gave a sign of life. */
  alive(entry: AliveEntry): void;
  gone(id: string, why: "goodbye" | "unreachable"): void;
  /** For people; told once each time it begins. */
  problem(kind: Problem): void;
  /** What a peer sent was malformed, or signed by nobody who could; how often that was so until now. */
  dropped(peer: string, count: number): void;
}

/** `full`: the mesh has as many members as it may. `conflict`: another process has our identity. */
export type Problem = "full" | "conflict";

/** `refused`: the machine answers, and nobody listens there. `own`: we answered ourselves. */
export type DialFailure = "refused" | "unreachable" | "own";

/** An observer costs a member about what a member does. */
const maxObservers = 256;
/** Links of an observer: two, so that the end of one is no gap. */
const observerLinks = 2;
/** Whether there is room again is not worth asking sooner. */
const refusedMs = 60_000;
/** Who vouches for whom is gone through for all messages that came within so long: where many come, each would cost more. */
const settlePauseMs = 50;
/** Timers are never further off than this, so that one that is late tells of a stall. */
const maxIdleMs = 5_000;

/**
 * Who is in the mesh: events in, messages and a deadline out; no socket, no clock.
 *
 * Every member has a link to every other, tells all of them what it says and that it lives, and passes on what
 * it hears of others to those who have no link to them. Whoever calls passes the time, which never goes back.
 */
export class Membership {
  readonly #options: MembershipOptions;
  readonly #timing: Timing;
  readonly #directory: Directory;
  readonly #links: LinkBook;
  readonly #indirectAcks = new IndirectAcks();
  readonly #failureDetector: FailureDetector;
  readonly #plan: DialPlan;
  readonly #gossip: Gossip;
  readonly #local: LocalRecord | null;
  readonly #problems = new Set<Problem>();
  #syncMs: number;
  #settledMs = Number.NEGATIVE_INFINITY;
  /** When to do so again. */
  #settleMs = Number.POSITIVE_INFINITY;
  readonly #standstill: Standstill;
  #hasLeft = false;
  #dropped = 0;

  constructor(options: MembershipOptions) {
    const { id, own, maxPeers, random, startMs, timing = defaultTiming } = options;
    this.#options = options;
    this.#timing = timing;
    this.#standstill = new Standstill(timing.stallMs);
    this.#syncMs = startMs + timing.syncMs * random();
    const directory = new Directory({ maxMembers: own ? maxPeers - 1 : maxPeers, graveMs: timing.graveMs });
    const links = new LinkBook(id);
    const indirectAcks = this.#indirectAcks;
    this.#directory = directory;
    this.#links = links;
    this.#plan = new DialPlan({
      random,
      isServed: (member) => member === id || links.has(member),
      isAlone: () => links.peers.size === 0,
      isSated: () => this.#hasLeft || (own === null && links.peers.size >= observerLinks),
    });
    const onConflict = (isOn: boolean): void => this.#problem("conflict", isOn);
    const isWantedBy = (peer: string): boolean => indirectAcks.wants(peer, id);
    this.#local = own && new LocalRecord({ ...options, ...own, links, timing, isWantedBy, onConflict });
    this.#failureDetector = new FailureDetector({
      directory,
      links,
      indirectAcks,
      timing,
      asks: own !== null,
    });
    this.#gossip = new Gossip({
      ...options,
      directory,
      links,
      indirectAcks,
      failureDetector: this.#failureDetector,
      plan: this.#plan,
      local: this.#local,
      yieldMs: timing.yieldMs,
      onFull: () => this.#problem("full", true),
      onForged: (peer) => this.#drop(peer),
    });
  }

  /** Which start of ours this is, as others have to see it; null for an observer. */
  get epoch(): number | null {
    return this.#local?.epoch ?? null;
  }

  /** Everybody else who is there. */
  members(): readonly AliveEntry[] {
    return this.#directory.alive();
  }

  /** The links to a member; none if others pass on what it says. */
  linksTo(id: string): readonly Link[] {
    return this.#links.of(id);
  }

  /** All links. */
  links(): readonly Link[] {
    return [...this.#links.peers.values()].flat();
  }

  /** Where we were told to dial, as it resolves now. */
  seed(urls: readonly string[], nowMs: number): void {
    this.#plan.seed(urls, nowMs);
  }

  /** Where another medium says that there are members now. */
  suggest(urls: readonly string[], nowMs: number): void {
    this.#plan.suggest(urls, nowMs);
  }

  /** Where a member was to be found before we started. */
  remember(id: string, urls: readonly string[], nowMs: number): void {
    if (id !== this.#options.id) this.#plan.learn(id, urls, {}, nowMs);
  }

  /**
   * Says something else of ourselves.
   *
   * @throws {RangeError} when it takes more than a record may.
   */
  say(statement: Statement): void {
    this.#local?.say(statement);
  }

  /** Says goodbye on all links; they are the caller's to close. */
  leave(): void {
    this.#hasLeft = true;
    this.#local?.leave();
  }

  linkUp(link: Link, nowMs: number): void {
    this.#noticeStall(nowMs);
    const { id } = link.peer;
    this.#plan.linked(id, link.url, nowMs);
    if (this.#refuses(link, nowMs)) return;
    for (const ending of this.#links.add(link)) ending.link.close(ending.why);
    if (!this.#links.holds(link)) return;
    this.#failureDetector.linked(id);
    this.#local?.introduce(id, nowMs);
    this.#gossip.compare(id, false);
    this.#settle(nowMs);
  }

  linkDown(link: Link, end: LinkEnd, nowMs: number): void {
    this.#noticeStall(nowMs);
    const { id } = link.peer;
    const reason = end.kind === "closed" && end.remote ? end.code : null;
    const isRival = reason === "conflict" || reason === "superseded";
    // A peer that ended a link over its own identity means another process; one with ours, the later one.
    if (isRival && (id !== this.#options.id || this.#isLesserThan(link.peer))) this.#local?.yield(nowMs);
    this.#gossip.listen(nowMs);
    if (!this.#links.remove(link)) return;
    this.#plan.unlinked(id, nowMs);
    if (reason === "full") this.#problem("full", true);
    if (reason === "full" && link.url) this.#plan.failed(link.url, nowMs, refusedMs);
    this.#failureDetector.unlinked(id, end.kind === "silent", nowMs);
    this.#gossip.unlinked(id, nowMs);
    this.#settle(nowMs);
  }

  dialFailed(url: string, why: DialFailure, nowMs: number): void {
    this.#noticeStall(nowMs);
    if (why === "own") return this.#plan.isOwn(url);
    this.#plan.failed(url, nowMs);
    if (why === "refused")
      for (const id of this.#plan.membersAt(url)) this.#failureDetector.refused(id, nowMs);
  }

  received(link: Link, text: string, nowMs: number): void {
    this.#noticeStall(nowMs);
    if (!this.#links.holds(link)) return;
    for (const ending of this.#links.heard(link)) ending.link.close(ending.why);
    const message = readMessage(text);
    if (!message) return this.#drop(link.peer.id);
    this.#take(link, message, nowMs);
    // Most messages are signs of life, which change nothing unless others have them from us.
    if (message.type !== "renewal" || this.#indirectAcks.isWanted) this.#settle(nowMs);
  }

  /** Does what is due. `wallMs` tells whether the host slept, which monotonic time does not. */
  tick(nowMs: number, wallMs: number): void {
    this.#noticeStall(nowMs);
    if (this.#standstill.hasSlept(nowMs, wallMs)) this.#grant(nowMs);
    if (this.#hasLeft) return;
    this.#gossip.listen(nowMs);
    for (const id of this.#directory.expire(nowMs)) this.#gossip.remove(id, "unreachable");
    for (const id of this.#failureDetector.take(nowMs)) {
      this.#directory.lose(id, nowMs);
      this.#gossip.remove(id, "unreachable");
    }
    this.#local?.tick(nowMs);
    this.#compareWithSomebody(nowMs);
    this.#settleNow(nowMs);
    for (const url of this.#plan.take(nowMs)) this.#options.effects.dial(url);
  }

  /** When `tick` is to be called next; to be asked after each call of anything. */
  nextMs(nowMs: number): number {
    const dueMs = Math.min(
      nowMs + maxIdleMs,
      this.#syncMs,
      this.#settleMs,
      this.#local?.nextMs() ?? Number.POSITIVE_INFINITY,
      this.#directory.nextMs(),
      this.#failureDetector.nextMs(),
      this.#plan.nextMs(),
    );
    // What was put off until it is needed may have been due long ago.
    const nextMs = Math.max(nowMs, dueMs);
    this.#standstill.expect(nextMs);
    return nextMs;
  }

  #take(link: Link, message: Message, nowMs: number): void {
    const peer = link.peer.id;
    switch (message.type) {
      case "record":
        return this.#gossip.takeRecord(link, message, nowMs);
      case "renewal":
        return this.#gossip.takeRenewal(link, message, nowMs);
      case "digest":
        return this.#gossip.takeDigest(link, message, nowMs);
      case "relay":
        this.#indirectAcks.want(peer, message.ids, nowMs);
        if (message.ids.includes(this.#options.id)) this.#local?.assure(peer, nowMs);
        return;
      case "vouching":
        return this.#failureDetector.vouched(peer, message.ids);
      case "lost":
        return this.#failureDetector.lost(peer, message.ids, nowMs);
    }
  }

  #settle(nowMs: number): void {
    if (this.#hasLeft) return;
    if (nowMs - this.#settledMs >= settlePauseMs) this.#settleNow(nowMs);
    else this.#settleMs = Math.min(this.#settleMs, this.#settledMs + settlePauseMs);
  }

  #settleNow(nowMs: number): void {
    this.#settledMs = nowMs;
    this.#settleMs = Number.POSITIVE_INFINITY;
    this.#failureDetector.settle(nowMs);
  }

  /** Closes a link that cannot be; the other side learns why. */
  #refuses(link: Link, nowMs: number): boolean {
    const { peer } = link;
    const { id } = this.#options;
    const refusal = this.#hasLeft ? "leaving" : this.#refusalOf(peer);
    if (refusal === null) return false;
    if (refusal === "full" && peer.role === "member") this.#problem("full", true);
    if (refusal === "conflict" && peer.id === id && this.#isLesserThan(peer)) {
      this.#local?.yield(nowMs);
    }
    link.close(refusal);
    if (!this.#links.has(peer.id)) this.#plan.unlinked(peer.id, nowMs);
    return true;
  }

  /** Why a peer may have no link to us, or null. */
  #refusalOf(peer: Link["peer"]): LinkClose | null {
    const { id, instance, maxPeers } = this.#options;
    if (peer.id === id) return peer.instance === instance ? "duplicate" : "conflict";
    if (this.#links.has(peer.id)) return null;
    const entry = this.#directory.get(peer.id);
    const isOther = isAlive(entry) && entry.record.instance !== peer.instance;
    if (isOther && entry.record.epoch >= peer.epoch) return "conflict";
    const maxMembers = this.#local ? maxPeers - 1 : maxPeers;
    const most = peer.role === "member" ? maxMembers : maxObservers;
    return this.#links.count(peer.role) < most ? null : "full";
  }

  /** Of two processes with one identity, the one that started later stays. */
  #isLesserThan({ epoch, instance }: Link["peer"]): boolean {
    const own = this.epoch ?? 0;
    return own < epoch || (own === epoch && this.#options.instance < instance);
  }

  #compareWithSomebody(nowMs: number): void {
    if (nowMs < this.#syncMs) return;
    this.#syncMs = nowMs + this.#timing.syncMs;
    const peers = [...this.#links.peers.keys()];
    const chosen = peers[Math.floor(this.#options.random() * peers.length)];
    if (chosen !== undefined) this.#gossip.compare(chosen, true);
  }

  /** A timer that is late was not the only thing that waited: what others sent may still be unread. */
  #noticeStall(nowMs: number): void {
    if (this.#standstill.isLate(nowMs)) this.#grant(nowMs);
  }

  #grant(nowMs: number): void {
    this.#directory.grant(nowMs);
    this.#failureDetector.grant(nowMs);
    for (const entry of this.members()) this.#options.effects.alive(entry);
  }

  #problem(kind: Problem, isOn: boolean): void {
    if (!isOn) this.#problems.delete(kind);
    else if (!this.#problems.has(kind)) {
      this.#problems.add(kind);
      this.#options.effects.problem(kind);
    }
  }

  #drop(peer: string): void {
    this.#dropped += 1;
    this.#options.effects.dropped(peer, this.#dropped);
  }
}
