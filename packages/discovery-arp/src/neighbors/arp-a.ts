import { existsSync } from "node:fs";
import { join } from "node:path";
import { fieldOf, textOf } from "./formats.ts";
import { maxNeighbors, type Neighbor, type RawNeighbor, tidy } from "./neighbor.ts";

/** Reads the rows that `arp-a` finds. They may be dead, and have no link on Windows. */
export type ReadArpA = () => Promise<Neighbor[]>;

/** Properties of this machine that decide if `arp-a` can be used. */
export interface ArpAHost {
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Loads the package; throws if it is not installed or not built. */
  readonly load: () => unknown;
}

/** Calls back with each row, then with neither an error nor a row. */
type Table = (callback: (error: unknown, row: unknown) => void) => void;

/**
 * The package `arp-a`, if it is installed and safe here; null otherwise.
 *
 * On Windows a missing `arp.exe` would end this process, because the package does not listen for the error.
 * On macOS its addon does not build on current Node versions, so that loading it throws.
 */
export function loadArpA({ platform, env, load }: ArpAHost): ReadArpA | null {
  const systemFolder = join(env.SystemRoot ?? "C:\\Windows", "System32");
  if (platform === "win32" && !existsSync(join(systemFolder, "ARP.EXE"))) return null;
  try {
    const table = fieldOf(load(), "table");
    return typeof table === "function" ? () => readAll(table as Table) : null;
  } catch {
    return null;
  }
}

function readAll(table: Table): Promise<Neighbor[]> {
  const rows: RawNeighbor[] = [];
  return new Promise((resolve, reject) => {
    table((error, row) => {
      if (error) return reject(error);
      if (!row) return resolve(tidy(rows));
      // Dead rows count as well: twice the bound on neighbors.
      if (rows.length < maxNeighbors * 2) rows.push(readRow(row));
    });
  });
}

/** The field of the link has another name on each system. */
function readRow(row: unknown): RawNeighbor {
  const link = textOf(row, "iface") || textOf(row, "ifname");
  return { address: textOf(row, "ip"), mac: textOf(row, "mac"), link: link || null };
}
