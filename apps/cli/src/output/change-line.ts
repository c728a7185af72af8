import { type RegistryChange, visibleText } from "@lmserv/discovery-core";
import { formatEndpoint } from "@lmserv/discovery-core/transport";
import { firstFitting, padTo } from "./cells.ts";
import { columnsOf, type TableOptions } from "./columns.ts";
import { paint } from "./terminal.ts";

const colors = { up: "green", updated: "yellow", down: "red" } as const;
/** Widths that align the lines of most nodes, though each is written before the next is known. */
const leastWidths: Readonly<Record<string, number>> = { STATE: 7, NAME: 16, SERVER: 9, MODELS: 16 };
const maxCellWidth = 48;

/** Line for people about a change of a node, without an end of line. */
export function formatChange(
  change: RegistryChange,
  { color, states, verbose }: Pick<TableOptions, "color" | "states" | "verbose">,
): string {
  const kind = change.kind.padEnd("updated".length);
  const options = { color, states, verbose, width: null, wallMs: 0 };
  const cells = columnsOf([change.node], options)
    .filter(({ title }) => title !== "AGE")
    .map(({ title, isCopied, cellOf }) => {
      const forms = cellOf(change.node);
      return isCopied ? forms[0] : padTo(firstFitting(forms, maxCellWidth), leastWidths[title] ?? 0);
    });
  const reason = change.kind === "down" ? [change.reason] : [];
  return [color ? paint(colors[change.kind], kind) : kind, ...cells, ...reason].join("  ");
}

/** Change in few words, for a place below the table that has the rest. */
export function eventText({ node, ...change }: RegistryChange, states: boolean): string {
  const kind = change.kind.padEnd("updated".length);
  const endpoint = formatEndpoint(node.host, node.port);
  const name = node.info ? [node.info] : [];
  const state = states && node.health && change.kind !== "down" ? [node.health.state] : [];
  const reason = change.kind === "down" ? [change.reason] : [];
  return visibleText([kind, ...name, endpoint, ...state, ...reason].join("  "));
}
