import { primaryType } from "@lmserv/discovery-config";
import { createDiscovery, type Discovery, type DiscoveryOptions } from "@lmserv/discovery-core";
import { explain } from "@lmserv/discovery-core/transport";
import type { Configuration } from "../config/configuration.ts";
import type { Io } from "../io/io.ts";
import type { Reporter } from "../output/reporter.ts";

export type OpeningOptions = Omit<DiscoveryOptions, "transports" | "clock" | "random">;

/** Opens the configured discovery, and logs when each transport runs. */
export function openDiscovery(
  { transports, composed }: Configuration,
  { clock, random }: Io,
  options: OpeningOptions,
): Promise<Discovery> {
  for (const { name, afterMs } of transports) {
    const when = afterMs === null ? "always" : `while ${primaryType} is silent, for ${afterMs} ms at least`;
    options.log?.("info", `${name} runs ${when}`, { via: name });
  }
  return createDiscovery({ ...options, clock, random, transports: composed });
}

/** Closes a resource and returns true if that worked; earlier results count in any case. */
export async function close(resource: AsyncDisposable, { warn }: Reporter): Promise<boolean> {
  try {
    await resource[Symbol.asyncDispose]();
    return true;
  } catch (error) {
    warn(`could not close: ${explain(error)}`);
    return false;
  }
}
