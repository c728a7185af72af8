import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { type Fingerprint, type FingerprintOptions, fingerprint } from "@lmserv/discovery-fingerprint";
import { readSystem, type System } from "@lmserv/discovery-network";
import { loadArpA, type ReadArpA } from "./neighbors/arp-a.ts";
import {
  getNetNeighborScript,
  parseArpAn,
  parseGetNetNeighbor,
  parseIpNeigh,
  parseProcNetArp,
} from "./neighbors/formats.ts";
import { NeighborTable, type TableReader } from "./neighbors/table.ts";
import { triggerArp } from "./sweep/arp-trigger.ts";
import type { Target } from "./sweep/plan.ts";
import { parseArpCacheStat, parseNtable, type TableLoad } from "./sweep/table-capacity.ts";

/** Result of sending; an address that failed does not stop the rest. */
export interface SendReport {
  readonly sent: number;
  /** Error of one of the failed sends, or null. */
  readonly failure: NodeJS.ErrnoException | null;
}

/** Functions of the machine that a session needs. */
export interface Platform {
  readonly system: () => System;
  readonly openTable: () => NeighborTable;
  /** Fill level of the table; null if the system does not tell. */
  readonly tableLoad: (signal: AbortSignal) => Promise<TableLoad | null>;
  /** Makes the system ask for each address by ARP; never rejects. */
  readonly triggerArp: (targets: readonly Target[]) => Promise<SendReport>;
  readonly fingerprint: (options: FingerprintOptions) => Promise<Fingerprint>;
}

/** Bound on a program's output in bytes: a table of thousands of rows takes half of this. */
const maxOutputBytes = 4 * 1_024 * 1_024;
/** Bound on a program's run in ms: PowerShell takes a second or two to start. */
const maxRunMs = 10_000;

export const thisPlatform: Platform = {
  system: readSystem,
  openTable: () => new NeighborTable({ ...waysOf(process.platform), loadArpA: loadHere }),
  tableLoad: readTableLoad,
  triggerArp,
  fingerprint,
};

/** The package is CommonJS, has no types and may be missing. */
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

/** Readers of each system, the best first. */
function waysOf(platform: NodeJS.Platform): { readers: readonly TableReader[]; ipv6: TableReader | null } {
  if (platform === "linux") return { readers: [procNetArp, ipNeigh, arpAn("arp")], ipv6: ipNeigh };
  if (platform === "win32") return { readers: [getNetNeighbor], ipv6: getNetNeighbor };
  return { readers: [arpAn("/usr/sbin/arp")], ipv6: null };
}

/** Containers do not see the kernel's file and have to run `ip`. */
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

/** Runs a program to its end and resolves with its output, untranslated if the program allows that. */
function runProgram(program: string, args: readonly string[], signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, LC_ALL: "C" };
    const options = { signal, env, timeout: maxRunMs, maxBuffer: maxOutputBytes, windowsHide: true };
    execFile(program, args, options, (error, stdout) => (error ? reject(error) : resolve(stdout)));
  });
}
