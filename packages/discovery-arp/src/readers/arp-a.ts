import { existsSync } from "node:fs";
import { join } from "node:path";
import { maxNeighbors, type Neighbor, type RawNeighbor, tidy } from "../neighbor.ts";

/** Reads the rows that `arp-a` finds. They may be dead, and on Windows no link is told. */
export type ReadArpA = () => Promise<Neighbor[]>;

type Module = typeof import("arp-a");

/** What of this machine decides whether `arp-a` can be used. */
export interface ArpAHost {
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly load: () => Promise<Module>;
}

/**
 * The package `arp-a`, where it is installed and does no harm; null elsewhere.
 *
 * On Windows a missing `arp.exe` would end this process, because the package does not listen for the error;
 * on macOS its addon does not build on any Node of today, so that loading it throws.
 */
export async function loadArpA({ platform, env, load }: ArpAHost): Promise<ReadArpA | null> {
  if (platform === "win32" && !existsSync(join(env.SystemRoot ?? "C:\\Windows", "System32", "ARP.EXE")))
    return null;
  try {
    const { table } = await load();
    return typeof table === "function" ? () => readAll(table) : null;
  } catch {
    return null;
  }
}

function readAll(table: NonNullable<Module["table"]>): Promise<Neighbor[]> {
  const rows: RawNeighbor[] = [];
  return new Promise((resolve, reject) => {
    table((error, row) => {
      if (error) return reject(error);
      if (!row) return resolve(tidy(rows));
      const { ip, mac, iface, ifname } = row;
      // As many again as can be neighbours: some of them are dead.
      if (rows.length < maxNeighbors * 2) {
        rows.push({ address: String(ip), mac: String(mac), link: linkOf(iface ?? ifname) });
      }
    });
  });
}

function linkOf(name: unknown): string | null {
  return typeof name === "string" && name !== "" ? name : null;
}
