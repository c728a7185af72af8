import { type Neighbor, type RawNeighbor, tidy } from "../neighbor.ts";
import { fieldOf, parseRows, textOf } from "./json-rows.ts";

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
  return [{ address: textOf(row, "dst"), mac: textOf(row, "lladdr"), link: textOf(row, "dev") }];
}
