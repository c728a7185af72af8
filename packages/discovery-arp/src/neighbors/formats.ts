import { type Neighbor, type RawNeighbor, tidy } from "./neighbor.ts";

// Texts in which systems tell their neighbors.

/** The MAC is known (`ATF_COM`). */
const complete = 0x2;
/** An address for which this machine answers in place of another (`ATF_PUBL`). */
const published = 0x8;

/**
 * Reads `/proc/net/arp`. Its flags are what tells an entry that failed, and keeps its old MAC, from one that holds.
 *
 * @throws {TypeError} when something else stands in its place, as in some sandboxes.
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

/** What the kernel says of an entry that leads nowhere. */
const deadStates: ReadonlySet<unknown> = new Set(["FAILED", "INCOMPLETE", "NONE"]);

/** Reads what `ip -j neigh show` prints, of either family. */
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
 * Reads what `arp -an` prints on macOS, the BSDs and, with net-tools, Linux:
 * `? (192.0.2.1) at 0:18:1:8f:23:ed on en0 ifscope [ethernet]`.
 */
export function parseArpAn(text: string): Neighbor[] {
  return tidy(
    text.split("\n").flatMap((line) => {
      const [, host = "", at, mac = "", ...rest] = line.trim().split(/\s+/);
      const on = rest.indexOf("on");
      if (at !== "at" || on === -1 || !/^\([\d.]+\)$/.test(host)) return [];
      // Linux marks what it answers for in place of others.
      if (/\bPUP\b|published/.test(line)) return [];
      return [{ address: host.slice(1, -1), mac, link: rest[on + 1] ?? "" }];
    }),
  );
}

/** What to ask PowerShell for; numbers, so that no language of the system gets in between. */
export const getNetNeighborScript: string =
  "Get-NetNeighbor | Select-Object IPAddress,LinkLayerAddress,InterfaceAlias,@{n='State';e={[int]$_.State}} | ConvertTo-Json -Compress";

/** `Unreachable` and `Incomplete` of NL_NEIGHBOR_STATE; probe, delay, stale, reachable and permanent come after. */
const lastDeadState = 1;

/** Reads what `getNetNeighborScript` prints on Windows. */
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

/** The rows of a JSON list, or the one row that stands for a list of one; none if it is something else. */
function parseRows(text: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(text.trim() || "[]");
    return Array.isArray(value) ? value : [value];
  } catch {
    return [];
  }
}

/** The text of a field; the empty text for anything else, such as an object with a `toString` of its own. */
export function textOf(row: unknown, name: string): string {
  const value = fieldOf(row, name);
  return typeof value === "string" ? value : "";
}

export function fieldOf(row: unknown, name: string): unknown {
  return typeof row === "object" && row !== null
    ? Object.entries(row).find(([key]) => key === name)?.[1]
    : undefined;
}
