import {
  createDiscovery,
  type Discovery,
  type DiscoveryError,
  type RegistryChange,
} from "@lmserv/discovery-core";
import type { Clock } from "@lmserv/discovery-core/transport";
import { seededRandom, type VirtualClock } from "@lmserv/discovery-testkit";
import type { LinkEvents, Machine } from "../../src/link/link.ts";
import { type MdnsOptions, mdnsOn } from "../../src/transport.ts";
import type { Segment } from "../segment.ts";

/** Packets of usual length in a socket's buffer; the system drops further ones. */
const maxQueued = 256;

/** Returns true if a packet reaches its machine. */
export type Reaches = () => boolean;

/**
 * Process on a machine of a virtual segment, which can be stopped as by SIGSTOP.
 *
 * While it is stopped, time goes on and packets wait in its socket's buffer. When it continues, its timers
 * fire first, then its packets arrive.
 */
export class VirtualHost {
  readonly clock: Clock;
  readonly machine: Machine;
  readonly #virtual: VirtualClock;
  readonly #timers = new Set<() => void>();
  #packets: (() => void)[] = [];
  #isStopped = false;

  constructor(clock: VirtualClock, machine: Machine, reaches: Reaches = () => true) {
    this.#virtual = clock;
    this.clock = {
      now: () => clock.now(),
      wall: () => clock.wall(),
      schedule: (delayMs, callback) => this.#schedule(delayMs, callback),
    };
    const take = (deliver: () => void): void => {
      if (!reaches()) return;
      if (!this.#isStopped) deliver();
      else if (this.#packets.length < maxQueued) this.#packets.push(deliver);
    };
    this.machine = {
      ...machine,
      openLink: (on, events, linkClock) => {
        const gated: LinkEvents = { ...events, packet: (...packet) => take(() => events.packet(...packet)) };
        return machine.openLink(on, gated, linkClock);
      },
    };
  }

  /** A process that never continues counts as dead. */
  stop(): void {
    this.#isStopped = true;
  }

  continue(): void {
    this.#isStopped = false;
    for (const callback of [...this.#timers]) this.#virtual.schedule(0, () => this.#run(callback));
    for (const deliver of this.#packets) this.#virtual.schedule(0, deliver);
    this.#packets = [];
  }

  #schedule(delayMs: number, callback: () => void): () => void {
    const once = (): void => callback();
    const cancel = this.#virtual.schedule(delayMs, () => {
      if (this.#isStopped) this.#timers.add(once);
      else once();
    });
    return () => {
      cancel();
      this.#timers.delete(once);
    };
  }

  #run(callback: () => void): void {
    if (this.#timers.delete(callback)) callback();
  }
}

export function hostOn(
  segment: Segment,
  clock: VirtualClock,
  address: string,
  reaches?: Reaches,
): VirtualHost {
  return new VirtualHost(clock, segment.machine(address), reaches);
}

export type Change = RegistryChange & { readonly atMs: number };

export interface Watcher {
  readonly discovery: Discovery;
  readonly changes: Change[];
  readonly warnings: readonly DiscoveryError[];
  /** Infos of the listed nodes, sorted. */
  readonly infos: () => readonly string[];
}

export interface WatcherOptions extends MdnsOptions {
  /** Seed of its own randomness. */
  readonly seed: number;
  readonly ttlMs?: number;
  readonly capacity?: number;
}

export async function watchOn(host: VirtualHost, options: WatcherOptions): Promise<Watcher> {
  const changes: Change[] = [];
  const warnings: DiscoveryError[] = [];
  const discovery = await openOn(host, options, (warning) => warnings.push(warning));
  const watch = async (): Promise<void> => {
    for await (const change of discovery.watch()) changes.push({ ...change, atMs: host.clock.now() });
  };
  void watch();
  return {
    discovery,
    changes,
    warnings,
    infos: () =>
      discovery.registry
        .listAlive()
        .map(({ info }) => info)
        .sort(),
  };
}

/** Announces a node on a host without watching. */
export async function announceOn(host: VirtualHost, info: string, seed: number): Promise<Discovery> {
  const discovery = await openOn(host, { seed });
  await discovery.announce({ port: 8000, info });
  return discovery;
}

function openOn(
  { machine, clock }: VirtualHost,
  { seed, ttlMs = 60_000, capacity = 10_000, ...mdns }: WatcherOptions,
  onWarning: (warning: DiscoveryError) => void = () => {},
): Promise<Discovery> {
  const transports = [mdnsOn(machine, mdns)];
  return createDiscovery({ transports, ttlMs, capacity, clock, random: seededRandom(seed), onWarning });
}

/** Changes from number `from` on that added a node or removed it. */
export function comingsAndGoings({ changes }: Watcher, from = 0): readonly string[] {
  return changes
    .slice(from)
    .flatMap(({ kind, node }) => (kind === "updated" ? [] : [`${kind} ${node.info}`]));
}
