import type { SeenAddress } from "@lmserv/discovery-core";
import { answeringAmong, type ResolvedAnnouncement } from "@lmserv/discovery-core/transport";
import {
  isSameStack,
  type MachineMark,
  ownAddresses,
  rankAddresses,
  type System,
} from "@lmserv/discovery-network";
import type { AliveRecord } from "@lmserv/discovery-signing";
import type { Place } from "./record-signer.ts";

/** Functions of the machine that a session needs. */
export interface Platform {
  system(): System;
  hostname(): string;
  mark(): MachineMark;
}

/** Addresses of this machine, and the reach of others from here. */
export class LocalNetwork {
  readonly #machine: Platform;
  readonly #chosen: readonly string[] | null;
  #system: System;
  #mark: MachineMark;
  #own: readonly string[];

  /** @param chosen - Addresses to announce, or null for those of the machine. */
  constructor(machine: Platform, chosen: readonly string[] | null) {
    this.#machine = machine;
    this.#chosen = chosen;
    this.#system = machine.system();
    this.#mark = machine.mark();
    this.#own = ownAddresses(this.#system);
  }

  /** Tells nodes of this machine from others. */
  get mark(): MachineMark {
    return this.#mark;
  }

  /** Addresses of a node of this machine: the chosen ones, or else the machine's own. */
  placeOf({ addresses }: ResolvedAnnouncement): Place {
    return { addresses: this.#chosen ?? answeringAmong(this.#own, addresses), machine: this.#mark };
  }

  /** Reads the network again; returns true if it changed. */
  look(): boolean {
    const system = this.#machine.system();
    if (JSON.stringify(system) === JSON.stringify(this.#system)) return false;
    this.#system = system;
    this.#mark = this.#machine.mark();
    this.#own = ownAddresses(system);
    return true;
  }

  /**
   * Ranks a record's addresses by how they are expected to answer from here; none if nothing leads to its
   * nodes.
   */
  rankOf(record: AliveRecord): readonly SeenAddress[] {
    const local = isSameStack(record.machine, this.#mark);
    return rankAddresses(record.addresses, { from: null, local, system: this.#system });
  }
}
