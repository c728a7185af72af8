import { isIPv6 } from "@lmserv/discovery-core/transport";
import type { ReadArpA } from "./arp-a.ts";
import { isWhole, type Neighbor, proxiesAmong } from "./neighbor.ts";

/** Reader of this machine's neighbor table. */
export interface TableReader {
  /** Name for messages, such as `/proc/net/arp`. */
  readonly name: string;
  /** Valid entries of either family; rejects if this reader does not work here. */
  readonly read: (signal: AbortSignal) => Promise<readonly Neighbor[]>;
}

export interface TableOptions {
  /** Readers that know valid entries from dead ones, the best first. */
  readonly readers: readonly TableReader[];
  /** Reader of IPv6 entries, or null if there is none. */
  readonly ipv6: TableReader | null;
  /** Called once, at the first read; null if `arp-a` cannot be used. */
  readonly loadArpA: () => ReadArpA | null;
}

/** Neighbor table of this machine, read by the best reader that works. */
export class NeighborTable {
  readonly #options: TableOptions;
  #arpA: ReadArpA | null | undefined;
  #way = "nothing";
  /** True after a failed read, and before the first. */
  #hasFailed = true;
  #ipv4: readonly Neighbor[] = [];
  #ipv6: readonly Neighbor[] = [];

  constructor(options: TableOptions) {
    this.#options = options;
  }

  /** Readers of the latest read, for messages. */
  get way(): string {
    return this.#way;
  }

  /**
   * Valid IPv4 entries: those of `arp-a`, as far as a reader that knows the states confirms them.
   *
   * If either is missing, the other one suffices. After a single failure the entries of the previous read
   * still count.
   *
   * @throws {AggregateError} with the reasons, if the first read fails, or two in a row.
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

  /** MAC of a host, zone included, from the latest read; null if it does not identify one machine. */
  macOf(host: string): string | null {
    const [bare = "", zone = null] = host.split("%");
    const table = isIPv6(bare) ? this.#ipv6 : this.#ipv4;
    const found = table.find(({ address, link }) => address === bare && (zone === null || zone === link));
    if (!found || !isWhole(found.mac) || proxiesAmong(this.#ipv4).has(found.mac)) return null;
    return found.mac;
  }

  /** Valid IPv6 entries; none if the system does not tell. */
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
  /** Reader that worked, or null. */
  readonly way: string | null;
  readonly rows: readonly Neighbor[];
  readonly failures: readonly unknown[];
}

/** Rows that the other reader has too, in its form: it knows their links. */
function confirmed(proposed: readonly Neighbor[], known: readonly Neighbor[]): readonly Neighbor[] {
  const slotOf = ({ address, mac }: Neighbor): string => `${address} ${mac}`;
  const slots = new Set(proposed.map(slotOf));
  return known.filter((neighbor) => slots.has(slotOf(neighbor)));
}
