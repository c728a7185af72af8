import type { Transport } from "@lmserv/discovery-core";

export interface TransportOptions {
  /** Names or addresses. @default every usable interface */
  readonly interfaces?: readonly string[];
  /** Whether every address of the subnet is asked. @default false */
  readonly sweep?: boolean;
  /** Which ports every host is asked at. @default those that are usual */
  readonly ports?: readonly number[];
  /** Takes how far a sweep is. */
  readonly onProgress?: (progress: SweepProgress) => void;
}

export interface SweepProgress {
  readonly addresses: number;
  readonly asked: number;
  readonly answered: number;
}

/** A transport that may know how long its first pass over the medium takes. */
export type ChosenTransport = Transport & { readonly firstPassMs?: () => number };

export type TransportFactory = (options: TransportOptions) => Promise<ChosenTransport>;

/** What may follow `--transport`. */
export type TransportTable = ReadonlyMap<string, TransportFactory>;

/** Every transport of this command; its package is loaded when it is chosen. */
export const knownTransports: TransportTable = new Map<string, TransportFactory>([
  [
    "mdns",
    async ({ interfaces }) => (await import("@lmserv/discovery-mdns")).mdns(interfaces && { interfaces }),
  ],
  [
    "arp",
    async (options) => {
      const { arp } = await import("@lmserv/discovery-arp");
      // Somebody waits for it.
      return arp({ ...options, pace: "prompt" });
    },
  ],
]);

/** Transports that look and cannot announce. */
export const mute: ReadonlySet<string> = new Set(["arp"]);

/** Makes the chosen transports; opens nothing. */
export function makeTransports(
  names: readonly string[],
  options: TransportOptions,
  table: TransportTable,
): Promise<readonly ChosenTransport[]> {
  return Promise.all(
    names.map((name) => {
      const make = table.get(name);
      if (!make) throw new RangeError(`transport ${JSON.stringify(name)} is not one of ${listNames(table)}`);
      return make(options);
    }),
  );
}

export function listNames(table: TransportTable): string {
  return [...table.keys()].join(", ");
}
