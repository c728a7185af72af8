import type { Clock } from "@lmserv/discovery-core/transport";
import { listLinks } from "../links.ts";
import type { Platform } from "../platform.ts";
import type { Settings } from "../settings.ts";
import { sweep } from "../sweep/sweep.ts";
import { planOf } from "../sweep/sweeper.ts";
import { OnLinkFilter } from "./on-link-filter.ts";

/** Addresses of known neighbors on the links in use, with their zones; none if the table cannot be read. */
export async function findNeighbors(
  settings: Settings,
  machine: Platform,
  clock: Clock,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const table = machine.openTable();
  try {
    if (settings.sweep) {
      await sweep({
        targets: planOf(settings, machine).targets,
        pace: settings.firstPace,
        clock,
        signal,
        triggerArp: machine.triggerArp,
        tableLoad: machine.tableLoad,
        readTable: (during) => table.read(during),
        onAnswer: () => {},
        onProgress: settings.onProgress,
      });
    }
    const [ipv4, ipv6] = [await table.read(signal), await table.readIPv6(signal)];
    const near = new OnLinkFilter(listLinks(machine.system()), settings);
    return [...near.hosts(ipv4), ...near.hostsOverIPv6(ipv6, ipv4)];
  } catch {
    signal.throwIfAborted();
    return [];
  }
}
