import { createDiscovery, type Discovery, type Log } from "@lmserv/discovery-core";
import { type ListedInterfaces, type MachineMark, systemOf, unknownMachine } from "@lmserv/discovery-network";
import { seededRandom, type VirtualClock } from "@lmserv/discovery-testkit";
import { type StoreOptions, storeTransportOn } from "../src/transport.ts";
import type { MemoryStore } from "./memory-store.ts";

export const lifetimeMs = 30_000;
export const mark: MachineMark = { ...unknownMachine, stack: "5".repeat(16) };

export interface SiteOptions extends StoreOptions {
  /** Present interfaces of the machine; with them its announced addresses are its own. */
  readonly listed?: () => ListedInterfaces;
  readonly hostname?: string;
  readonly machineMark?: MachineMark;
  readonly log?: Log;
}

/** Process in a fleet that already watches. */
export async function openSite(
  store: MemoryStore,
  clock: VirtualClock,
  { listed, hostname = "box", machineMark = mark, log, ...options }: SiteOptions = {},
  seed = 1,
): Promise<Discovery> {
  const machine = {
    system: () => systemOf(listed?.() ?? {}),
    hostname: () => hostname,
    mark: () => machineMark,
  };
  const chosen = listed ? {} : { addresses: ["10.0.0.1"] };
  const transport = storeTransportOn(machine, store, { ...chosen, lifetimeMs, ...options });
  const discovery = await createDiscovery({
    transports: [transport],
    clock,
    random: seededRandom(seed),
    ttlMs: lifetimeMs,
    ...(log && { log }),
  });
  discovery.registry.listAlive();
  await clock.advance(0);
  return discovery;
}
