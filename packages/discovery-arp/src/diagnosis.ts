import { type Cancellable, type Check, type Checker, checker } from "@lmserv/discovery-core/transport";
import { checks } from "./codes.ts";
import { listLinks, type NetworkLink } from "./links.ts";
import { OnLinkFilter } from "./neighbors/on-link-filter.ts";
import type { Platform } from "./platform.ts";
import type { Settings } from "./settings.ts";
import type { Omission } from "./sweep/plan.ts";
import { planOf } from "./sweep/sweeper.ts";
import { reserve, type TableLoad } from "./sweep/table-capacity.ts";

/** The kernel refuses entries slightly before its limit: observed from 1,017 of 1,024 on. */
const fullWithin = 16;

type Say = Checker<keyof typeof checks>;

/** Examines what keeps the neighbor table from leading to servers. */
export async function* diagnose(
  settings: Settings,
  machine: Platform,
  { signal }: Cancellable,
): AsyncGenerator<Check, void> {
  const say = checker("arp", checks, settings.via);
  yield* linkChecks(settings, machine, say);
  yield await readerCheck(machine, signal, say);
  yield roomCheck(await machine.tableLoad(signal), say);
}

function* linkChecks(settings: Settings, machine: Platform, say: Say): Generator<Check, void> {
  const links = listLinks(machine.system());
  const used = new OnLinkFilter(links, settings).links;
  const { ranges, omissions } = planOf(settings, machine);
  for (const name of used) {
    const swept = ranges
      .filter(({ link }) => link === name)
      .map(({ count, subnet }) => `${count} addresses of ${subnet}`);
    const reach = swept.length > 0 ? `; a sweep asks ${swept.join(", ")}` : "; nothing of it is swept";
    yield say("INTERFACE_USED", { interface: name, message: `neighbours on ${name} are asked${reach}` });
  }
  for (const omission of omissions) yield omissionCheck(omission, links, say);
  if (used.length > 0) return;
  yield say("NO_USABLE_INTERFACE", {
    message: "no network interface leads to a LAN that has neighbours",
    fix: "connect this machine to a network, or name the interface that leads to one",
  });
}

function omissionCheck(
  { what, reason, surprising }: Omission,
  links: readonly NetworkLink[],
  say: Say,
): Check {
  const on = links.find(({ name }) => what === name || what.startsWith(`${name} `))?.name ?? null;
  const message = `${what} is not swept: ${reason}`;
  return surprising
    ? say("sweep-incomplete", { interface: on, message, fix: "name the ranges and interfaces to sweep" })
    : say("INTERFACE_LEFT_OUT", { interface: on, message });
}

async function readerCheck(machine: Platform, signal: AbortSignal, say: Say): Promise<Check> {
  const table = machine.openTable();
  try {
    const { length } = await table.read(signal);
    return say("neighbors-read", {
      message: `IPv4 neighbours that are known: ${length} (read by ${table.way})`,
    });
  } catch (error) {
    signal.throwIfAborted();
    return say("neighbors-unreadable", {
      message: `the table of neighbours cannot be read: ${reasonsOf(error)}`,
      fix: "install iproute2 (Linux), or let this process read /proc/net/arp and run ip, arp or PowerShell",
    });
  }
}

function reasonsOf(error: unknown): string {
  const all: readonly unknown[] = error instanceof AggregateError ? error.errors : [error];
  return all.map((one) => (one instanceof Error ? one.message : String(one))).join("; ");
}

function roomCheck(load: TableLoad | null, say: Say): Check {
  if (load === null) {
    const message = "this system does not tell how full its table of neighbours is";
    return say("neighbor-room-unknown", { message });
  }
  const { entries, softLimit, hardLimit, refusals } = load;
  const fix = enlarge(hardLimit);
  const refused = refusals > 0 ? `; ${refusals} were refused since this machine started` : "";
  const fill = `the kernel's table of neighbours holds ${entries} entries, and learns ${hardLimit} at most${refused}`;
  // Permanent entries are counted and take no room: only a refusal proves that the table is full.
  if (entries >= hardLimit - fullWithin && refusals > 0) {
    const message = `${fill}: it is full, and packets to hosts outside it are lost, multicast included`;
    return say("neighbor-table-full", { message, fix });
  }
  if (entries > softLimit - reserve) {
    const message = `${fill}: unless many are permanent, it is nearly full, and the kernel removes old entries`;
    return say("neighbor-room-scarce", { message, fix });
  }
  return say("neighbor-room", { message: `${fill}: there is room for ${softLimit - reserve - entries}` });
}

/** The whole machine shares one table: containers cannot enlarge it. */
function enlarge(hardLimit: number): string {
  const sizes = [1, 2, 3].map(
    (level) => `net.ipv4.neigh.default.gc_thresh${level}=${hardLimit * 2 ** (level - 1)}`,
  );
  return `enlarge it, on the machine itself and not in a container: sysctl -w ${sizes.join(" ")}`;
}
