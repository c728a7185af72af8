import { DiscoveryError } from "@lmserv/discovery-core";
import type { ObservationSink } from "@lmserv/discovery-core/transport";
import type { System } from "@lmserv/discovery-network";
import type { Name } from "../dns/name.ts";
import type { Link } from "../link/link.ts";
import { type Heard, Querier, type QuerierOptions } from "./querier.ts";
import { absenceMs, lateSettleMs, secondQuestionMs, settleMs } from "./schedule.ts";

export interface BrowserOptions extends QuerierOptions {
  readonly report: (error: DiscoveryError) => void;
  /** True if the user named the interfaces, so that loopback alone is intended. */
  readonly isChosen: boolean;
  /** True if this process announces the instance. */
  readonly isOwn: (instance: Name) => boolean;
}

/** Time in which a resumed process reads its queued packets, in ms. */
const drainMs = 100;

interface Subscriber {
  readonly ttlMs: number;
  readonly sink: ObservationSink;
  cancelSettling: () => void;
}

/** Browses of a session: queriers ask while there are any, and report to all of them. */
export class Browser {
  /** Latest snapshot of this machine's network. */
  system: System = { interfaces: [] };
  readonly #options: BrowserOptions;
  /** Queriers, one for each interface. */
  readonly #queriers = new Set<Querier>();
  readonly #subscribers = new Set<Subscriber>();
  #reportedSilence = false;
  #reportedFullness = false;
  #cancelWaking: () => void = () => {};

  constructor(options: BrowserOptions) {
    this.#options = options;
  }

  /** Browses on a link, with the existing querier of its interface if there is one. */
  join(link: Link, known: Querier | null): Querier {
    const querier = known ?? new Querier(link, this.#options, this);
    querier.link = link;
    this.#queriers.add(querier);
    if (this.#subscribers.size > 0) querier.start(this.#ttlMs(), "link");
    return querier;
  }

  /** Forgets an interface; nodes known only there become unreachable. */
  leave(querier: Querier): void {
    querier.abandon();
    this.#queriers.delete(querier);
  }

  /** Starts a browse and returns the function that ends it. */
  subscribe(ttlMs: number, sink: ObservationSink): () => void {
    const subscriber: Subscriber = { ttlMs, sink, cancelSettling: () => {} };
    this.#subscribers.add(subscriber);
    for (const querier of this.#queriers) {
      for (const alive of querier.observations()) this.#tellOne(subscriber, alive);
      querier.start(this.#ttlMs(), "caller");
    }
    this.#settleAfterQuestions(subscriber);
    return () => {
      subscriber.cancelSettling();
      this.#subscribers.delete(subscriber);
      if (this.#subscribers.size === 0) this.#rest();
    };
  }

  /** The network is back for which loopback stood in: whom it had is told of from now on, or is gone. */
  settleAgain(): void {
    for (const subscriber of this.#subscribers) this.#settleIn(absenceMs, subscriber);
  }

  tell(observation: Heard): void {
    for (const subscriber of this.#subscribers) this.#tellOne(subscriber, observation);
  }

  /** Asks everything anew after a suspension. */
  wake(): void {
    if (this.#subscribers.size === 0) return;
    for (const querier of this.#queriers) querier.start(this.#ttlMs(), "caller");
    // Delayed, because packets that the system queued meanwhile are no sign of life.
    this.#cancelWaking();
    this.#cancelWaking = this.#options.clock.schedule(drainMs, () => {
      for (const querier of this.#queriers) querier.reconfirmAll();
    });
  }

  reconfirm(key: string): void {
    for (const querier of this.#queriers) querier.reconfirm(key);
  }

  /** Ends every browse with an error; returns false when there is none. */
  fail(error: DiscoveryError): boolean {
    const subscribers = [...this.#subscribers];
    for (const { sink } of subscribers) sink.fail(error);
    return subscribers.length > 0;
  }

  /** Reports once that the link has more nodes than the limit. */
  reportFullness(label: string): void {
    if (this.#reportedFullness) return;
    this.#reportedFullness = true;
    const { via, maxInstances, report } = this.#options;
    const message = `nodes on ${label} are refused: there are more than the limit of ${maxInstances}, or too many from one address`;
    report(new DiscoveryError("REGISTRY_FULL", message, { via }));
  }

  /** Waits for the answers to a third question where those to the second brought news: packets are lost here. */
  #settleAfterQuestions(subscriber: Subscriber): void {
    const { clock } = this.#options;
    const secondMs = clock.now() + secondQuestionMs;
    subscriber.cancelSettling = clock.schedule(settleMs, () => {
      const isSettled = [...this.#queriers].every((querier) => querier.isSettled(secondMs));
      if (isSettled) this.#settle(subscriber);
      else this.#settleIn(lateSettleMs - settleMs, subscriber);
    });
  }

  #settleIn(delayMs: number, subscriber: Subscriber): void {
    subscriber.cancelSettling();
    subscriber.cancelSettling = this.#options.clock.schedule(delayMs, () => this.#settle(subscriber));
  }

  #settle({ sink }: Subscriber): void {
    sink.push({ kind: "settled", via: this.#options.via });
    this.#reportSilence();
  }

  #rest(): void {
    this.#cancelWaking();
    for (const querier of this.#queriers) querier.stop();
  }

  #ttlMs(): number {
    return Math.min(...[...this.#subscribers].map((subscriber) => subscriber.ttlMs));
  }

  /** A sign of life counts for at most the lifetime that the browse asked for. */
  #tellOne({ ttlMs, sink }: Subscriber, observation: Heard): void {
    if (observation.kind === "gone") return sink.push(observation);
    const nowMs = this.#options.clock.now();
    const leftMs = Math.min(observation.ttlMs, ttlMs - (nowMs - observation.heardMs));
    if (leftMs > 0) sink.push({ ...observation, ttlMs: leftMs });
  }

  /** Reports once why the list is empty. */
  #reportSilence(): void {
    const queriers = [...this.#queriers];
    if (this.#reportedSilence || queriers.length === 0) return;
    if (queriers.some((querier) => querier.hasOthers(this.#options.isOwn))) return;
    this.#reportedSilence = true;
    const where = queriers.map(({ label }) => label).join(", ");
    const { via, report, isChosen } = this.#options;
    const isAlone = !isChosen && queriers.every(({ loopback }) => loopback);
    const [code, message] = isAlone
      ? (["NO_INTERFACE", aloneWith(where)] as const)
      : (["NO_ANSWER", `nothing answered on ${where}: ${reasonOfSilence(queriers)}`] as const);
    report(new DiscoveryError(code, message, { via }));
  }
}

function aloneWith(loopback: string): string {
  return `this machine has no network interface but ${loopback}, where no node is announced: connect it to a network, or name that interface to look on this machine alone`;
}

function reasonOfSilence(queriers: readonly Querier[]): string {
  if (queriers.every(({ loopback }) => loopback))
    return "no node is announced on this machine's loopback interface";
  if (queriers.some(({ heardOthers }) => heardOthers))
    return "other hosts speak mDNS there, but none announces a node";
  return "no mDNS packet came from another host; multicast may be blocked (guest Wi-Fi, VLAN, firewall, container bridge)";
}
