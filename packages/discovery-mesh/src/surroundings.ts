import type { BlockList } from "node:net";
import { rankAddresses, type SeenAddress, type SystemInterfaces, subnetsOf } from "@lmserv/discovery-core";
import type { AliveRecord } from "@lmserv/discovery-identity";
import type { MachineMark } from "@lmserv/discovery-network";
import type { ListenAddress } from "./link/listen-address.ts";
import type { Machine } from "./machine.ts";
import { reachableAddresses } from "./own-addresses.ts";

interface Ranked {
  readonly remoteAddress: string | null;
  readonly near: BlockList;
  readonly addresses: readonly SeenAddress[];
}

/** The networks of this machine, and how addresses look from there. */
export class Surroundings {
  readonly #machine: Machine;
  /** Asking the system takes long, and the answer holds for a while. */
  #system: SystemInterfaces;
  #near: BlockList;
  #mark: MachineMark;
  /** Of each member, how its addresses were ranked last. */
  readonly #ranked = new WeakMap<AliveRecord, Ranked>();

  constructor(machine: Machine) {
    this.#machine = machine;
    this.#system = machine.interfaces();
    this.#near = subnetsOf(this.#system);
    this.#mark = machine.mark();
  }

  /** Tells members of this machine from others. */
  get mark(): MachineMark {
    return this.#mark;
  }

  /** Asks the system again. */
  look(): void {
    const system = this.#machine.interfaces();
    if (JSON.stringify(system) === JSON.stringify(this.#system)) return;
    this.#system = system;
    this.#near = subnetsOf(system);
    this.#mark = this.#machine.mark();
  }

  /** Where others reach what listens there. */
  reachable(listening: readonly ListenAddress[]): readonly string[] {
    return reachableAddresses(listening, this.#system);
  }

  /** How addresses of our own, or of a member without a link, are expected to answer. */
  rank(addresses: readonly string[]): readonly SeenAddress[] {
    return rankAddresses(addresses, null, this.#near);
  }

  /** The same for a member; anew when its record, its link or our own networks are others. */
  rankOf(record: AliveRecord, remoteAddress: string | null): readonly SeenAddress[] {
    const near = this.#near;
    const before = this.#ranked.get(record);
    if (before?.remoteAddress === remoteAddress && before.near === near) return before.addresses;
    const addresses = rankAddresses(record.addresses, remoteAddress, near);
    this.#ranked.set(record, { remoteAddress, near, addresses });
    return addresses;
  }
}
