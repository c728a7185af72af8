import { createDiscovery, type Discovery, type DiscoveryOptions } from "@lmserv/discovery-core";
import { explain } from "./failure.ts";
import type { Io } from "./io.ts";
import type { Reporter } from "./reporter.ts";
import type { Request } from "./request.ts";
import { makeTransports } from "./transports.ts";

export type OpeningOptions = Omit<DiscoveryOptions, "transports" | "clock" | "random">;

/** Opens discovery over the transports that a command line chose. */
export async function openDiscovery(
  { transports, interfaces }: Request,
  { clock, random, transports: table }: Io,
  options: OpeningOptions,
): Promise<Discovery> {
  const chosen = await makeTransports(transports, interfaces, table);
  return createDiscovery({ ...options, clock, random, transports: chosen });
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
