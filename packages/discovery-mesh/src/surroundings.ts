import type { SeenAddress } from "@lmserv/discovery-core";
import type { AliveRecord } from "@lmserv/discovery-identity";
import {
  isOwnAddress,
  isSameMachine,
  isSameStack,
  type MachineMark,
  rankAddresses,
  type System,
} from "@lmserv/discovery-network";
import type { ListenAddress } from "./link/listen-address.ts";
import type { Machine } from "./machine.ts";
import { reachableAddresses } from "./own-addresses.ts";

interface Ranked {
  readonly remoteAddress: string | null;
  readonly system: System;
  readonly addresses: readonly SeenAddress[];
}

/** The networks of this machine, and how addresses look from there. */
export class Surroundings {
  readonly #machine: Machine;
  /** Asking the system takes long, and the answer holds for a while. */
  #system: System;
  #mark: MachineMark;
  /** Of each member, how its addresses were ranked last. */
  readonly #ranked = new WeakMap<AliveRecord, Ranked>();

  constructor(machine: Machine) {
    this.#machine = machine;
    this.#system = machine.system();
    this.#mark = machine.mark();
  }

  /** Tells members of this machine from others. */
  get mark(): MachineMark {
    return this.#mark;
  }

  /** Asks the system again. */
  look(): void {
    const system = this.#machine.system();
    if (JSON.stringify(system) === JSON.stringify(this.#system)) return;
    this.#system = system;
    this.#mark = this.#machine.mark();
  }

  /** Where others reach what listens there. */
  reachable(listening: readonly ListenAddress[]): readonly string[] {
    return reachableAddresses(listening, this.#system);
  }

  isOwn(address: string): boolean {
    return isOwnAddress(address, this.#system);
  }

  /** How our own addresses are expected to answer. */
  rankOwn(addresses: readonly string[]): readonly SeenAddress[] {
    return rankAddresses(addresses, { from: null, local: true, system: this.#system });
  }

  /** The same for a member; anew when its record, its link or our own networks are others. */
  rankOf(record: AliveRecord, remoteAddress: string | null): readonly SeenAddress[] {
    const system = this.#system;
    const before = this.#ranked.get(record);
    if (before?.remoteAddress === remoteAddress && before.system === system) return before.addresses;
    const local = this.#isLocal(record, remoteAddress);
    const addresses = rankAddresses(record.addresses, { from: remoteAddress, local, system });
    this.#ranked.set(record, { remoteAddress, system, addresses });
    return addresses;
  }

  /** Whether a member runs on this machine, by its mark; by its link where the mark does not tell. */
  #isLocal({ machine }: AliveRecord, remoteAddress: string | null): boolean {
    if (isSameStack(machine, this.#mark)) return true;
    const isOpen = machine.stack === null && isSameMachine(machine, this.#mark) === null;
    return isOpen && remoteAddress !== null && isOwnAddress(remoteAddress, this.#system);
  }
}
