import { isIPv6 } from "@lmserv/discovery-core/transport";
import type { ReadArpA } from "./arp-a.ts";
import { isWhole, type Neighbor, proxiesAmong } from "./neighbor.ts";

/** One way to this machine's neighbour table. */
export interface TableReader {
  /** For people, such as `/proc/net/arp`. */
  readonly name: string;
  /** The entries that hold, of either family; rejects when this way is not open here. */
  readonly read: (signal: AbortSignal) => Promise<readonly Neighbor[]>;
}

export interface TableOptions {
  /** Those that tell entries that hold from dead ones, the best first. */
  readonly readers: readonly TableReader[];
  /** The one that brings IPv6, or null where there is none. */
  readonly ipv6: TableReader | null;
  /** Called once, at the first look; null where it cannot be used. */
  readonly loadArpA: () => ReadArpA | null;
}

/** This machine's neighbour table, by whichever way is open. */
export class NeighborTable {
  readonly #options: TableOptions;
  #arpA: ReadArpA | null | undefined;
  #way = "nothing";
  /** Whether it could not be read the last time, or was never read. */
  #hasFailed = true;
  #ipv4: readonly Neighbor[] = [];
  #ipv6: readonly Neighbor[] = [];

  constructor(options: TableOptions) {
    this.#options = options;
  }

  /** How it was last read, for people. */
  get way(): string {
    return this.#way;
  }

  /**
   * The IPv4 entries that hold: what `arp-a` finds, as far as a reader that knows the states confirms it.
   *
   * Where either of the two is missing, the other alone has to do: nothing is reported before it answered. One failure
   * may pass, and what was read before still holds.
   *
   * @throws {AggregateError} when no way is open at the first time, or twice in a row, with the reasons.
   */
  async read(signal: AbortSignal): Promise<readonly Neighbor[]> {
    const [proposed, known] = await Promise.all([this.#readArpA(), this.#readStates(signal)]);
    const isFailure = known.way === null && proposed === null;
    if (isFailure && this.#hasFailed) throw new AggregateError(known.failures, "no way to read it");
    this.#hasFailed = isFailure;
    if (isFailure) return this.#ipv4;
    this.#way = [proposed && "arp-a", known.way].filter(Boolean).join(", checked by ");
    this.#ipv4 =
      known.way === null ? (proposed ?? []) : proposed ? confirmed(proposed, known.rows) : known.rows;
    return this.#ipv4;
  }

  /** The MAC of a host, zone included, as it was read last; null where it does not tell one machine from others. */
  macOf(host: string): string | null {
    const [bare = "", zone = null] = host.split("%");
    const table = isIPv6(bare) ? this.#ipv6 : this.#ipv4;
    const found = table.find(({ address, link }) => address === bare && (zone === null || zone === link));
    if (!found || !isWhole(found.mac) || proxiesAmong(this.#ipv4).has(found.mac)) return null;
    return found.mac;
  }

  /** The IPv6 entries that hold; none where the system does not tell. */
  async readIPv6(signal: AbortSignal): Promise<readonly Neighbor[]> {
    const rows = (await this.#options.ipv6?.read(signal).catch(() => [])) ?? [];
    signal.throwIfAborted();
    this.#ipv6 = rows.filter(({ address }) => isIPv6(address));
    return this.#ipv6;
  }

  async #readArpA(): Promise<readonly Neighbor[] | null> {
    if (this.#arpA === undefined) this.#arpA = this.#options.loadArpA();
    return this.#arpA ? this.#arpA().catch(() => null) : null;
  }

  async #readStates(signal: AbortSignal): Promise<Known> {
    const failures: unknown[] = [];
    for (const { name, read } of this.#options.readers) {
      try {
        const rows = await read(signal);
        return { way: name, rows: rows.filter(({ address }) => !isIPv6(address)), failures };
      } catch (error) {
        signal.throwIfAborted();
        failures.push(error);
      }
    }
    return { way: null, rows: [], failures };
  }
}

interface Known {
  /** The reader that worked, or null. */
  readonly way: string | null;
  readonly rows: readonly Neighbor[];
  readonly failures: readonly unknown[];
}

/** The rows that the other reader has too, as that one tells them: it knows their links. */
function confirmed(proposed: readonly Neighbor[], known: readonly Neighbor[]): readonly Neighbor[] {
  const slotOf = ({ address, mac }: Neighbor): string => `${address} ${mac}`;
  const slots = new Set(proposed.map(slotOf));
  return known.filter((neighbor) => slots.has(slotOf(neighbor)));
}
