import {
  createDiscovery,
  type Discovery,
  type DiscoveryOptions,
  type Transport,
} from "@lmserv/discovery-core";
import { explain } from "./failure.ts";
import type { Io } from "./io.ts";
import type { Reporter } from "./reporter.ts";

export type OpeningOptions = Omit<DiscoveryOptions, "transports" | "clock" | "random">;

/** Opens discovery over these transports. */
export function openDiscovery(
  transports: readonly Transport[],
  { clock, random }: Io,
  options: OpeningOptions,
): Promise<Discovery> {
  return createDiscovery({ ...options, clock, random, transports });
}

/** Closes what was opened and tells whether that worked; what was found until then counts in any case. */
export async function close(resource: AsyncDisposable, { warn }: Reporter): Promise<boolean> {
  try {
    await resource[Symbol.asyncDispose]();
    return true;
  } catch (error) {
    warn(`could not close: ${explain(error)}`);
    return false;
  }
}
