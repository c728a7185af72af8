import { type Clock, withoutZone } from "@lmserv/discovery-core/transport";
import { type Family, familiesOf, familyOf, type LinkInterface } from "../link/interfaces.ts";
import type { Link, LinkEvents, Machine } from "../link/link.ts";

/** Enough senders to prove that there are other hosts, and to name them. */
const maxHeard = 64;

/** Sockets of one interface, opened to test binding, sending and receiving. */
export class TrialBind {
  readonly on: LinkInterface;
  /** Error that keeps each family from being used. */
  readonly refusals: Map<Family, unknown> = new Map();
  /** Error that keeps each family from sending. */
  readonly sendFailures: Map<Family, Error> = new Map();
  /** Families over which a packet of our own came back. */
  readonly returned: Set<Family> = new Set();
  readonly heard: Set<string> = new Set();
  link: Link | null = null;
  /** Addresses of this machine, on all its interfaces. */
  readonly #own: ReadonlySet<string>;
  #sent: Uint8Array = new Uint8Array();
  #changed: () => void = () => {};

  private constructor(on: LinkInterface, own: ReadonlySet<string>) {
    this.on = on;
    this.#own = own;
  }

  /**
   * Opens the sockets; never rejects, but keeps the system's errors.
   *
   * @param own - Every address of this machine.
   */
  static async open(
    on: LinkInterface,
    own: ReadonlySet<string>,
    machine: Machine,
    clock: Clock,
  ): Promise<TrialBind> {
    const trial = new TrialBind(on, own);
    try {
      trial.link = await machine.openLink(on, trial.#events(), clock);
    } catch (error) {
      for (const family of familiesOf(on)) trial.refusals.set(family, error);
    }
    return trial;
  }

  get isComplete(): boolean {
    const usable = this.link?.families ?? [];
    const isAnswered = this.on.loopback || this.heard.size > 0;
    return usable.every((family) => this.returned.has(family)) && (isAnswered || usable.length === 0);
  }

  send(packet: Uint8Array, changed: () => void): void {
    this.#sent = packet;
    this.#changed = changed;
    for (const family of this.link?.families ?? []) this.link?.multicast(packet, family);
  }

  async close(): Promise<void> {
    await this.link?.close();
  }

  #events(): LinkEvents {
    const sendFailed = (error: Error): void => {
      for (const family of familiesFailing(error, this.on)) this.sendFailures.set(family, error);
    };
    return {
      packet: (bytes, { address }) => {
        const bare = withoutZone(address);
        if (!this.#own.has(bare)) this.#hear(address);
        else if (this.#isFromHere(bare) && Buffer.compare(bytes, this.#sent) === 0)
          this.returned.add(familyOf(address));
        this.#changed();
      },
      sendFailed,
      degraded: (family, error) => this.refusals.set(family, error),
      died: sendFailed,
    };
  }

  /** Two interfaces of this machine may be on one link. */
  #isFromHere(address: string): boolean {
    return this.on.addresses.some((own) => own.address === address);
  }

  #hear(address: string): void {
    if (this.heard.size < maxHeard) this.heard.add(address);
  }
}

/** Family of the address that could not be reached; all families if the system does not tell. */
function familiesFailing(error: Error, on: LinkInterface): readonly Family[] {
  return "address" in error && typeof error.address === "string" ? [familyOf(error.address)] : familiesOf(on);
}
