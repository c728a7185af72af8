import { randomHex } from "@lmserv/discovery-core/transport";
import { seededRandom } from "@lmserv/discovery-testkit";
import { defaultTiming, type Timing } from "../../src/membership/timing.ts";
import { Agenda } from "./agenda.ts";
import { type Host, Process, urlOf } from "./process.ts";
import { Connection } from "./virtual-link.ts";

/** How bad the network is, as probabilities for each message or dial. */
export interface Faults {
  loss: number;
  duplication: number;
  /** Of messages that take long. */
  delay: number;
  /** Of handshakes that take long, as where both sides have much to do. */
  slowness: number;
}

/** Dead processes that somebody may still list. */
interface Death {
  readonly process: Process;
  readonly atMs: number;
}

/** Hosts, their processes and the network between them, all of it made of one seed. */
export class World {
  readonly random: () => number;
  readonly agenda = new Agenda();
  readonly timing: Timing = defaultTiming;
  readonly hosts: Host[] = [];
  readonly faults: Faults = { loss: 0, duplication: 0, delay: 0, slowness: 0 };
  readonly deaths: Death[] = [];
  messages = 0;
  dials = 0;
  /** The longest that a message was under way. */
  maxTransitMs = 0;
  /** The longest that a message about somebody dead waited for a process that stood still. */
  maxQueuedMs = 0;
  readonly #processes = new Map<Host, Process>();
  #connections: Connection[] = [];
  /** Pairs of hosts with no way between them. */
  readonly #cuts = new Set<string>();
  #addresses = 0;

  constructor(seed: number) {
    this.random = seededRandom(seed);
  }

  between(least: number, most: number): number {
    return least + this.random() * (most - least);
  }

  chance(probability: number): boolean {
    return probability > 0 && this.random() < probability;
  }

  pick<T>(items: readonly T[]): T | undefined {
    return items[Math.floor(this.random() * items.length)];
  }

  latencyMs(): number {
    return this.chance(this.faults.delay) ? this.between(100, 3_000) : this.between(1, 20);
  }

  addHost(isHidden: boolean, seeds: readonly string[]): Host {
    const host: Host = {
      name: `host ${this.hosts.length}`,
      id: randomHex(this.random, 128),
      address: this.newAddress(),
      isHidden,
      seeds,
      savedEpoch: 0,
      wallOffsetMs: 1_700_000_000_000,
    };
    this.hosts.push(host);
    return host;
  }

  newAddress(): string {
    this.#addresses += 1;
    return `10.0.${this.#addresses >> 8}.${this.#addresses & 255}`;
  }

  processes(): Process[] {
    return [...this.#processes.values()];
  }

  processOn(host: Host): Process | undefined {
    return this.#processes.get(host);
  }

  start(host: Host): Process {
    const process = new Process(this, host);
    this.#processes.set(host, process);
    return process;
  }

  /** Ends a process without a word; the system of its host closes its connections, unless that ends too. */
  crash(process: Process, withHost: boolean = false): void {
    this.#processes.delete(process.host);
    process.isAlive = false;
    this.deaths.push({ process, atMs: this.agenda.nowMs });
    for (const connection of this.#connectionsOf(process)) {
      if (withHost) connection.fallSilent(() => false);
      else for (const end of connection.ends) if (end.owner === process) end.terminate();
    }
  }

  leave(process: Process): void {
    process.later((membership) => {
      membership.leave();
      this.#processes.delete(process.host);
      this.deaths.push({ process, atMs: this.agenda.nowMs });
      for (const connection of this.#connectionsOf(process)) {
        for (const end of connection.ends) if (end.owner === process) end.close("leaving");
      }
      process.isAlive = false;
    });
  }

  /** A process stands still; whoever waits for it too long gives up its links. */
  stall(process: Process, ms: number): void {
    const { agenda } = this;
    process.stalledUntilMs = agenda.nowMs + ms;
    process.lastGrantMs = Math.max(process.lastGrantMs, process.stalledUntilMs);
    for (const connection of this.#connectionsOf(process)) {
      connection.fallSilent(() => process.stalledUntilMs <= agenda.nowMs);
    }
  }

  /** Its connections end, and it is elsewhere from now on. */
  move(process: Process): void {
    for (const connection of this.#connectionsOf(process)) {
      for (const end of connection.ends) end.finish({ kind: "reset" });
    }
    process.host.address = this.newAddress();
    process.say();
  }

  cut(a: Host, b: Host): void {
    this.#cuts.add(pairOf(a, b));
    for (const connection of this.#connections) {
      const [first, second] = connection.ends.map(({ owner }) => owner.host);
      if ((first === a && second === b) || (first === b && second === a)) {
        connection.fallSilent(() => !this.#cuts.has(pairOf(a, b)));
      }
    }
  }

  heal(): void {
    this.#cuts.clear();
  }

  isCut(a: Process, b: Process): boolean {
    return this.#cuts.size > 0 && this.#cuts.has(pairOf(a.host, b.host));
  }

  tellsOfDead(text: string): boolean {
    return this.deaths.some(({ process }) => text.includes(process.host.id));
  }

  breakSomeLink(): void {
    const connection = this.pick(this.#connections.filter(({ isOpen }) => isOpen));
    for (const end of connection?.ends ?? []) end.finish({ kind: "reset" });
  }

  dial(dialer: Process, url: string): void {
    this.dials += 1;
    const { agenda } = this;
    const host = this.hosts.find((candidate) => urlOf(candidate) === url);
    const arriveMs = agenda.nowMs + this.latencyMs();
    agenda.at(arriveMs, () => {
      const target = host && this.#processes.get(host);
      const isReachable =
        host && !(host.isHidden && host !== dialer.host) && !this.#cuts.has(pairOf(host, dialer.host));
      if (!isReachable) {
        agenda.at(agenda.nowMs + this.between(500, 5_000), () => dialer.dialFailed(url, "unreachable"));
      } else if (!target) dialer.dialFailed(url, "refused");
      else if (target.stalledUntilMs > agenda.nowMs) {
        agenda.at(agenda.nowMs + 5_000, () => dialer.dialFailed(url, "unreachable"));
      } else if (target === dialer) dialer.dialFailed(url, "own");
      else agenda.at(agenda.nowMs + this.#handshakeMs(), () => this.#admit(dialer, target, url));
    });
  }

  #handshakeMs(): number {
    return this.chance(this.faults.slowness) ? this.between(100, 4_500) : 0;
  }

  /** A handshake ends, unless one side did. */
  #admit(dialer: Process, target: Process, url: string): void {
    if (!target.isAlive) dialer.dialFailed(url, "unreachable");
    else if (dialer.isAlive) this.#connect(dialer, target, url);
  }

  #connect(dialer: Process, acceptor: Process, url: string): void {
    const connection = new Connection(this, dialer, acceptor, url);
    this.#connections = this.#connections.filter(({ isOpen }) => isOpen);
    this.#connections.push(connection);
    const [near, far] = connection.ends;
    const upMs = this.agenda.nowMs + this.between(1, 20);
    far.delayUntil(upMs + 1);
    acceptor.later((membership, nowMs) => membership.linkUp(far, nowMs));
    this.agenda.at(upMs, () => {
      if (near.isOpen) dialer.later((membership, nowMs) => membership.linkUp(near, nowMs));
      else dialer.dialFailed(url, "unreachable");
    });
  }

  #connectionsOf(process: Process): Connection[] {
    return this.#connections.filter(
      ({ ends, isOpen }) => isOpen && ends.some(({ owner }) => owner === process),
    );
  }
}

function pairOf(a: Host, b: Host): string {
  return a.id < b.id ? `${a.id} ${b.id}` : `${b.id} ${a.id}`;
}
