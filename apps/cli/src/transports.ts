import type { Clock, Transport } from "@lmserv/discovery-core";
import type { MeshRequest } from "./mesh-options.ts";
import { UsageError } from "./usage-error.ts";

export interface TransportOptions {
  /** Names or addresses. @default every usable interface */
  readonly interfaces?: readonly string[];
  /** Whether every address of the subnet is asked. @default false */
  readonly sweep?: boolean;
  /** Which ports every host is asked at. @default those that are usual */
  readonly ports?: readonly number[];
  /** Takes how far a sweep is. */
  readonly onProgress?: (progress: SweepProgress) => void;
  /** For the transport mesh. */
  readonly mesh?: MeshRequest;
}

export interface SweepProgress {
  readonly addresses: number;
  readonly asked: number;
  readonly answered: number;
}

/** A transport that may know how long its first pass over the medium takes, or which hosts are near. */
export type ChosenTransport = Transport & {
  readonly firstPassMs?: () => number;
  readonly neighbors?: (clock: Clock, signal: AbortSignal) => Promise<readonly string[]>;
};

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
  ["mesh", async ({ mesh }) => (await import("./mesh-transport.ts")).makeMesh(mesh)],
]);

/** Transports that look and cannot announce. */
export const mute: ReadonlySet<string> = new Set(["arp"]);

/**
 * Makes the chosen transports; opens nothing.
 *
 * @throws {UsageError} for options that a transport does not take.
 */
export async function makeTransports(
  names: readonly string[],
  options: TransportOptions,
  table: TransportTable,
): Promise<readonly ChosenTransport[]> {
  try {
    return await Promise.all(
      names.map((name) => {
        const make = table.get(name);
        if (!make)
          throw new RangeError(`transport ${JSON.stringify(name)} is not one of ${listNames(table)}`);
        return make(options);
      }),
    );
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}

export function listNames(table: TransportTable): string {
  return [...table.keys()].join(", ");
}
