import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { look } from "@lmserv/discovery-identify";
import { readSystem } from "@lmserv/discovery-network";
import { parseArpCacheStat, parseNtable, type TableLoad } from "./headroom.ts";
import { knock } from "./knock.ts";
import type { Machine } from "./machine.ts";
import { loadArpA, type ReadArpA } from "./readers/arp-a.ts";
import { parseArpAn } from "./readers/arp-an.ts";
import { getNetNeighborScript, parseGetNetNeighbor } from "./readers/get-net-neighbor.ts";
import { parseIpNeigh } from "./readers/ip-neigh.ts";
import { parseProcNetArp } from "./readers/proc.ts";
import { runProgram } from "./run-program.ts";
import { NeighborTable, type TableReader } from "./table.ts";

/** The machine that this process runs on. */
export const thisMachine: Machine = {
  system: readSystem,
  openTable: () => new NeighborTable({ ...waysOf(process.platform), loadArpA: loadHere }),
  tableLoad: readTableLoad,
  knock,
  look,
};

/** A CommonJS package without types, which may be missing. */
const require = createRequire(import.meta.url);

function loadHere(): ReadArpA | null {
  const { platform, env } = process;
  return loadArpA({ platform, env, load: () => require("arp-a") });
}

const procNetArp: TableReader = {
  name: "/proc/net/arp",
  read: async (signal) => parseProcNetArp(await readFile("/proc/net/arp", { encoding: "utf8", signal })),
};
const ipNeigh: TableReader = {
  name: "ip neigh",
  read: async (signal) => parseIpNeigh(await runProgram("ip", ["-j", "neigh", "show"], signal)),
};
const arpAn = (program: string): TableReader => ({
  name: "arp -an",
  read: async (signal) => parseArpAn(await runProgram(program, ["-an"], signal)),
});
const getNetNeighbor: TableReader = {
  name: "Get-NetNeighbor",
  read: async (signal) => {
    const args = ["-NoProfile", "-NonInteractive", "-Command", getNetNeighborScript];
    return parseGetNetNeighbor(await runProgram("powershell.exe", args, signal));
  },
};

/** The ways to the table that a system has, the best first. */
function waysOf(platform: NodeJS.Platform): { readers: readonly TableReader[]; ipv6: TableReader | null } {
  if (platform === "linux") return { readers: [procNetArp, ipNeigh, arpAn("arp")], ipv6: ipNeigh };
  if (platform === "win32") return { readers: [getNetNeighbor], ipv6: getNetNeighbor };
  return { readers: [arpAn("/usr/sbin/arp")], ipv6: null };
}

/** The kernel's own file is there for the machine alone; containers have to ask `ip`. */
async function readTableLoad(signal: AbortSignal): Promise<TableLoad | null> {
  if (process.platform !== "linux") return null;
  try {
    const [stat = "", soft, hard] = await Promise.all(
      [
        "/proc/net/stat/arp_cache",
        "/proc/sys/net/ipv4/neigh/default/gc_thresh2",
        "/proc/sys/net/ipv4/neigh/default/gc_thresh3",
      ].map((path) => readFile(path, { encoding: "utf8", signal })),
    );
    const load = parseArpCacheStat(stat, { softLimit: Number(soft), hardLimit: Number(hard) });
    if (load) return load;
  } catch {
    signal.throwIfAborted();
  }
  try {
    return parseNtable(await runProgram("ip", ["-s", "ntable", "show", "name", "arp_cache"], signal));
  } catch {
    signal.throwIfAborted();
    return null;
  }
}
