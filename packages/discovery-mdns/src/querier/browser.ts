import { type Clock, DiscoveryError, type Observation, type ObservationSink } from "@lmserv/discovery-core";
import type { System } from "@lmserv/discovery-network";
import type { Name } from "../dns/name.ts";
import type { Message } from "../dns/record.ts";
import type { Link } from "../link/link.ts";
import { LinkBrowser } from "./querier.ts";
import { settleMs } from "./schedule.ts";
import type { Sighting } from "./sighting.ts";

export interface BrowserOptions {
  /** The transport's name. */
  readonly via: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly report: (error: DiscoveryError) => void;
  /** The name of the PTR records that list the instances. */
  readonly listName: Name;
  /** How many instances are kept on each link. */
  readonly maxInstances: number;
  /** Whether the user named the interfaces, so that loopback alone is what was asked for. */
  readonly isChosen: boolean;
  /** This machine's network, as it was looked at last. */
  readonly system: () => System;
  /** Whether this process announces the instance. */
  readonly isOwn: (instance: Name) => boolean;
}

/** How long a process that was suspended takes to read the packets that wait for it, in ms. */
const drainMs = 100;

interface Subscriber {
  readonly ttlMs: number;
  readonly sink: ObservationSink;
}

/** Asks on every link for as long as anybody browses, and tells every browse what was heard. */
export class Browser {
  readonly #options: BrowserOptions;
  /** By the name of their interfaces. */
  readonly #links = new Map<string, LinkBrowser>();
  readonly #subscribers = new Set<Subscriber>();
  #reportedSilence = false;
  #reportedFullness = false;
  #cancelWaking: () => void = () => {};

  constructor(options: BrowserOptions) {
    this.#options = options;
  }

  /** Browses on a link; one of an interface that is known already takes the place of the former. */
  addLink(link: Link): void {
    const known = this.#links.get(link.interface.name);
    if (known) return known.relink(link);
    const { clock, random, listName, maxInstances, system } = this.#options;
    const tell = (sighting: Sighting): void => this.#tell(sighting);
    const browser = new LinkBrowser(link, { clock, random, tell, listName, maxInstances, system });
    this.#links.set(link.interface.name, browser);
    if (this.#subscribers.size > 0) browser.start(this.#ttlMs(), "link");
  }

  /** Forgets an interface; whatever was known only there is out of reach. */
  removeLink(interfaceName: string): void {
    this.#links.get(interfaceName)?.abandon();
    this.#links.delete(interfaceName);
  }

  /** Starts a browse; the result ends it. */
  subscribe(ttlMs: number, sink: ObservationSink): () => void {
    const subscriber: Subscriber = { ttlMs, sink };
    this.#subscribers.add(subscriber);
    for (const browser of this.#links.values()) {
      for (const sighting of browser.sightings()) this.#tellOne(subscriber, sighting);
      browser.start(this.#ttlMs(), "caller");
    }
    const cancelSettling = this.#options.clock.schedule(settleMs, () => {
      sink.push({ kind: "settled", via: this.#options.via });
      this.#reportSilence();
    });
    return () => {
      cancelSettling();
      this.#subscribers.delete(subscriber);
      if (this.#subscribers.size === 0) this.#rest();
    };
  }

  /** Takes whatever came in on an interface. */
  take(interfaceName: string, message: Message, from: string): void {
    const browser = this.#links.get(interfaceName);
    if (this.#subscribers.size === 0 || !browser) return;
    browser.take(message, from);
    if (browser.refused > 0) this.#reportFullness(browser);
  }

  /** Asks everything anew: the machine woke. */
  wake(): void {
    if (this.#subscribers.size === 0) return;
    for (const browser of this.#links.values()) browser.start(this.#ttlMs(), "caller");
    // Not at once: what the system kept meanwhile is no sign of life.
    this.#cancelWaking();
    this.#cancelWaking = this.#options.clock.schedule(drainMs, () => {
      for (const browser of this.#links.values()) browser.reconfirmAll();
    });
  }

  reconfirm(key: string): void {
    for (const browser of this.#links.values()) browser.reconfirm(key);
  }

  stop(): void {
    this.#rest();
    this.#links.clear();
  }

  #rest(): void {
    this.#cancelWaking();
    for (const browser of this.#links.values()) browser.stop();
  }

  #ttlMs(): number {
    return Math.min(...[...this.#subscribers].map((subscriber) => subscriber.ttlMs));
  }

  #tell(sighting: Sighting): void {
    for (const subscriber of this.#subscribers) this.#tellOne(subscriber, sighting);
  }

  #tellOne({ ttlMs, sink }: Subscriber, sighting: Sighting): void {
    const observation = observationOf(sighting, this.#options.via, ttlMs, this.#options.clock.now());
    if (observation) sink.push(observation);
  }

  /** Says once that somebody tells of more nodes than a link has. */
  #reportFullness({ label }: LinkBrowser): void {
    if (this.#reportedFullness) return;
    this.#reportedFullness = true;
    const { via, maxInstances, report } = this.#options;
    const message = `nodes on ${label} are refused: more are told of than the ${maxInstances} that are kept there, or too many by one address`;
    report(new DiscoveryError("REGISTRY_FULL", message, { via }));
  }

  /** Says once why nothing is listed: silence has a reason. */
  #reportSilence(): void {
    const links = [...this.#links.values()];
    if (this.#reportedSilence || links.length === 0) return;
    if (links.some((browser) => browser.hasOthers(this.#options.isOwn))) return;
    this.#reportedSilence = true;
    const where = links.map((browser) => browser.label).join(", ");
    const { via, report, isChosen } = this.#options;
    const isAlone = !isChosen && links.every((browser) => browser.loopback);
    const [code, message] = isAlone
      ? (["NO_INTERFACE", aloneWith(where)] as const)
      : (["NO_ANSWER", `nothing answered on ${where}: ${reasonOfSilence(links)}`] as const);
    report(new DiscoveryError(code, message, { via }));
  }
}

function aloneWith(loopback: string): string {
  return `this machine has no network interface but ${loopback}, where no node is announced: connect it to a network, or name that interface to look on this machine alone`;
}

function reasonOfSilence(links: readonly LinkBrowser[]): string {
  if (links.every((browser) => browser.loopback))
    return "no node is announced on this machine's loopback interface";
  if (links.some((browser) => browser.heardOthers))
    return "other hosts speak mDNS there, but none announces a node";
  return "no mDNS packet came from another host; multicast may be blocked (guest Wi-Fi, VLAN, firewall, container bridge)";
}

function observationOf(sighting: Sighting, via: string, ttlMs: number, nowMs: number): Observation | null {
  const { key } = sighting;
  if (sighting.kind === "gone") return { kind: "gone", via, key, reason: sighting.reason };
  const { node, origin, seenMs: heardMs } = sighting;
  const leftMs = Math.min(sighting.ttlMs, ttlMs) - (nowMs - heardMs);
  return leftMs > 0 ? { kind: "alive", via, key, node, origin, heardMs, ttlMs: leftMs } : null;
}
