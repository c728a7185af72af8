import { type Neighbor, type RawNeighbor, tidy } from "./neighbor.ts";

// Parsers of the neighbor tables that systems print.

/** Flag of an entry with a known MAC (`ATF_COM`). */
const complete = 0x2;
/** Flag of an address for which this machine answers by proxy (`ATF_PUBL`). */
const published = 0x8;

/**
 * Parses `/proc/net/arp`. Only the flags tell valid entries from failed ones, which keep their old MAC.
 *
 * @throws {TypeError} if the file holds something else, as in some sandboxes.
 */
export function parseProcNetArp(text: string): Neighbor[] {
  if (!text.startsWith("IP address")) throw new TypeError("it is not the table of the kernel");
  const rows = text
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/\s+/));
  return tidy(
    rows.flatMap(([address = "", , flags = "", mac = "", , link = ""]) => {
      const bits = Number.parseInt(flags, 16);
      const holds = (bits & complete) !== 0 && (bits & published) === 0;
      return holds ? [{ address, mac, link }] : [];
    }),
  );
}

/** States of entries that lead nowhere. */
const deadStates: ReadonlySet<unknown> = new Set(["FAILED", "INCOMPLETE", "NONE"]);

/** Parses the output of `ip -j neigh show`, of either family. */
export function parseIpNeigh(text: string): Neighbor[] {
  return tidy(parseRows(text).flatMap(readIpRow));
}

function readIpRow(row: unknown): RawNeighbor[] {
  const states = fieldOf(row, "state");
  if (!Array.isArray(states) || states.some((state) => deadStates.has(state))) return [];
  if (fieldOf(row, "proxy") !== undefined) return [];
  return [{ address: textOf(row, "dst"), mac: textOf(row, "lladdr"), link: textOf(row, "dev") }];
}

/**
 * Parses the output of `arp -an` on macOS, the BSDs and, with net-tools, Linux: `? (192.0.2.1) at
 * 0:18:1:8f:23:ed on en0 ifscope [ethernet]`.
 */
export function parseArpAn(text: string): Neighbor[] {
  return tidy(
    text.split("\n").flatMap((line) => {
      const [, host = "", at, mac = "", ...rest] = line.trim().split(/\s+/);
      const on = rest.indexOf("on");
      if (at !== "at" || on === -1 || !/^\([\d.]+\)$/.test(host)) return [];
      // Linux marks the addresses for which it answers by proxy.
      if (/\bPUP\b|published/.test(line)) return [];
      return [{ address: host.slice(1, -1), mac, link: rest[on + 1] ?? "" }];
    }),
  );
}

/** PowerShell query of the table; states are numbers, which no system language changes. */
export const getNetNeighborScript: string =
  "Get-NetNeighbor | Select-Object IPAddress,LinkLayerAddress,InterfaceAlias,@{n='State';e={[int]$_.State}} | ConvertTo-Json -Compress";

/**
 * Last dead one of NL_NEIGHBOR_STATE: `Unreachable`, `Incomplete`; probe, delay, stale, reachable and
 * permanent follow.
 */
const lastDeadState = 1;

/** Parses the output of `getNetNeighborScript` on Windows. */
export function parseGetNetNeighbor(text: string): Neighbor[] {
  return tidy(parseRows(text).flatMap(readNetRow));
}

function readNetRow(row: unknown): RawNeighbor[] {
  const state = fieldOf(row, "State");
  if (typeof state !== "number" || state <= lastDeadState) return [];
  return [
    {
      address: textOf(row, "IPAddress"),
      mac: textOf(row, "LinkLayerAddress"),
      link: textOf(row, "InterfaceAlias"),
    },
  ];
}

/** Rows of a JSON list, or a single row without a list; none for anything else. */
function parseRows(text: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(text.trim() || "[]");
    return Array.isArray(value) ? value : [value];
  } catch {
    return [];
  }
}

/** Text of a field; empty for anything else, such as an object with a `toString` of its own. */
export function textOf(row: unknown, name: string): string {
  const value = fieldOf(row, name);
  return typeof value === "string" ? value : "";
}

export function fieldOf(row: unknown, name: string): unknown {
  return typeof row === "object" && row !== null
    ? Object.entries(row).find(([key]) => key === name)?.[1]
    : undefined;
}
