import type { Transport } from "@lmserv/discovery-core";

export interface TransportOptions {
  /** Names or addresses. @default every usable interface */
  readonly interfaces?: readonly string[];
}

export type TransportFactory = (options: TransportOptions) => Promise<Transport>;

/** What may follow `--transport`. */
export type TransportTable = ReadonlyMap<string, TransportFactory>;

/** Every transport of this command; its package is loaded when it is chosen. */
export const knownTransports: TransportTable = new Map<string, TransportFactory>([
  ["mdns", async (options) => (await import("@lmserv/discovery-mdns")).mdns(options)],
]);

/** Makes the chosen transports; opens nothing. */
export function makeTransports(
  names: readonly string[],
  interfaces: readonly string[],
  table: TransportTable,
): Promise<readonly Transport[]> {
  const options: TransportOptions = interfaces.length > 0 ? { interfaces } : {};
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
