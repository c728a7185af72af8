import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Finished, Host, HostProcess } from "../../src/index.ts";

const script = fileURLToPath(new URL("./flood.py", import.meta.url));

export interface Flood {
  readonly kind: "nodes" | "fat-nodes" | "pointers" | "garbage" | "half-garbage" | AskingFlood;
  readonly count: number;
  /** @default 8_000 */
  readonly perSecond?: number;
  /** How many addresses the packets come from. @default 1 */
  readonly sources?: number;
  /** The first three bytes of those addresses. @default "10.77.0", those of the LAN */
  readonly network?: string;
}

export type AskingFlood = "asks" | "direct-asks" | "legacy-asks" | "endless-asks";

/** Sends packets to the group from a host; resolves, with how that ended, when the last has left. */
export function flood(host: Host, order: Flood): Promise<Finished> {
  const { kind, count, perSecond = 8_000, sources = 1, network = "10.77.0" } = order;
  const args = [kind, count, perSecond, sources, network].map(String);
  return host.run(["/usr/bin/python3", script, "eth0", ...args], { timeoutMs: 120_000 });
}

/** Resident memory of a process, in MB. */
export function memoryMb({ pid }: HostProcess): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kilobytes) / 1_024;
}

/** How long a process has computed so far, in ms. */
export function computedMs({ pid }: HostProcess): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** How many packets have left a host by its network card. */
export async function sentBy(host: Host): Promise<number> {
  const { stdout } = await host.run(["cat", "/proc/net/dev"]);
  const [, counters = ""] = /^\s*eth0:\s*(.*)$/m.exec(stdout) ?? [];
  return Number(counters.split(/\s+/)[9]);
}
