import type { System, SystemInterface } from "@lmserv/discovery-network";
import { zonedAddresses } from "./interfaces.ts";
import type { Reporter } from "./reporter.ts";
import type { AnsweringAddresses } from "./server-watch.ts";

export interface ReachabilityOptions {
  readonly port: number;
  /** The interfaces that were chosen, by name or address; none for all that lead to other hosts. */
  readonly interfaces: readonly string[];
  readonly system: () => System;
  readonly reporter: Reporter;
}

/** Says over which interfaces the server cannot be reached, whenever that changes, and takes it back. */
export class Reachability {
  readonly #options: ReachabilityOptions;
  /** Names of the interfaces that the latest warning was about. */
  #warned: readonly string[] = [];

  constructor(options: ReachabilityOptions) {
    this.#options = options;
  }

  /** Takes the addresses at which the server answers now. */
  update(at: AnsweringAddresses): void {
    if (at === "unknown") return;
    const { port, reporter } = this.#options;
    const wanted = this.#wanted();
    const missed = wanted.filter((one) => !answersOn(one, at));
    const names = missed.map(({ name }) => name);
    if (names.join() === this.#warned.join()) return;
    const mended = this.#warned.filter((name) =>
      wanted.some((one) => one.name === name && answersOn(one, at)),
    );
    this.#warned = names;
    if (mended.length > 0) reporter.note(`the server can be reached over ${mended.join(" and ")} now`);
    if (missed.length === 0) return;
    const where = missed.map((one) => `${one.name} (${zonedAddresses(one).join(", ")})`).join(" and ");
    reporter.warn(
      `the server answers on ${at.join(", ")} only: over ${where}, other hosts cannot reach port ${port}; let it listen on 0.0.0.0`,
    );
  }

  /** The interfaces whose hosts are meant to reach it. */
  #wanted(): readonly SystemInterface[] {
    const { interfaces: chosen, system } = this.#options;
    return system().interfaces.filter((one) => {
      if (chosen.length === 0) return one.kind === "lan" || one.kind === "tunnel";
      return chosen.some((choice) => choice === one.name || zonedAddresses(one).includes(choice));
    });
  }
}

/** Whether a server that answers at these addresses answers at one of the interface. */
function answersOn(one: SystemInterface, at: readonly string[]): boolean {
  return zonedAddresses(one).some((address) => at.includes(address));
}
