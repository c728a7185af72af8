import type { BlockList } from "node:net";
import {
  type Announced,
  answeringAmong,
  ownAddresses,
  rankAddresses,
  type SeenAddress,
  type SystemInterfaces,
  subnetsOf,
} from "@lmserv/discovery-core";
import type { MachineMark } from "@lmserv/discovery-network";
import type { Place } from "./pen.ts";
import type { Look } from "./survey.ts";

/** What a session takes from the machine that it runs on. */
export interface Machine {
  interfaces(): SystemInterfaces;
  hostname(): string;
  mark(): MachineMark;
  readonly look: Look;
}

/** Where this machine is, and how far others are from it. */
export class Surroundings {
  readonly #machine: Machine;
  readonly #chosen: readonly string[] | null;
  #system: SystemInterfaces;
  #near: BlockList;
  #mark: MachineMark;
  #own: readonly string[];

  /** @param chosen - Addresses to announce, or null for those of the machine. */
  constructor(machine: Machine, chosen: readonly string[] | null) {
    this.#machine = machine;
    this.#chosen = chosen;
    this.#system = machine.interfaces();
    this.#near = subnetsOf(this.#system);
    this.#mark = machine.mark();
    this.#own = ownAddresses(this.#system);
  }

  /** Tells nodes of this machine from others. */
  get mark(): MachineMark {
    return this.#mark;
  }

  /** Where a node of this machine answers: where it was told to be found, or else at the machine's own addresses. */
  placeOf({ addresses }: Announced): Place {
    return { addresses: this.#chosen ?? answeringAmong(this.#own, addresses), machine: this.#mark };
  }

  /** Looks again; tells whether anything is different. */
  look(): boolean {
    const system = this.#machine.interfaces();
    if (JSON.stringify(system) === JSON.stringify(this.#system)) return false;
    this.#system = system;
    this.#near = subnetsOf(system);
    this.#mark = this.#machine.mark();
    this.#own = ownAddresses(system);
    return true;
  }

  /** How the addresses that somebody announced are expected to answer from here. */
  rank(addresses: readonly string[]): readonly SeenAddress[] {
    return rankAddresses(addresses, null, this.#near);
  }
}
