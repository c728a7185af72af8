import { type Neighbor, type RawNeighbor, tidy } from "../neighbor.ts";
import { fieldOf, parseRows, textOf } from "./json-rows.ts";

/** What to ask PowerShell for; numbers, so that no language of the system gets in between. */
export const getNetNeighborScript: string =
  "Get-NetNeighbor | Select-Object IPAddress,LinkLayerAddress,InterfaceAlias,@{n='State';e={[int]$_.State}} | ConvertTo-Json -Compress";

/** `Unreachable` and `Incomplete` of NL_NEIGHBOR_STATE; probe, delay, stale, reachable and permanent come after. */
const lastDeadState = 1;

/** Reads what `getNetNeighborScript` prints on Windows. */
export function parseGetNetNeighbor(text: string): Neighbor[] {
  return tidy(parseRows(text).flatMap(readRow));
}

function readRow(row: unknown): RawNeighbor[] {
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
