import { type Neighbor, type RawNeighbor, tidy } from "../neighbor.ts";
import { fieldOf, parseRows } from "./json-rows.ts";

/** What the kernel says of an entry that leads nowhere. */
const deadStates: ReadonlySet<unknown> = new Set(["FAILED", "INCOMPLETE", "NONE"]);

/** Reads what `ip -j neigh show` prints, of either family. */
export function parseIpNeigh(text: string): Neighbor[] {
  return tidy(parseRows(text).flatMap(readRow));
}

function readRow(row: unknown): RawNeighbor[] {
  const states = fieldOf(row, "state");
  if (!Array.isArray(states) || states.some((state) => deadStates.has(state))) return [];
  if (fieldOf(row, "proxy") !== undefined) return [];
  const [address, mac, link] = ["dst", "lladdr", "dev"].map((name) => String(fieldOf(row, name) ?? ""));
  return address && mac ? [{ address, mac, link: link ?? null }] : [];
}
