import { formatEndpoint, type NodeInfo, type RegistryChange } from "@lmserv/discovery-core";
import { cut, printable } from "./printable.ts";
import { paint } from "./terminal.ts";

const header = ["INFO", "ADDRESS", "URL", "SERVER", "SOURCES"];
/** An `info` or a list of models may be long; the whole of it is in the JSON. */
const maxCellWidth = 48;
const gap = "  ";

/** Nodes as a table for people, with a header, in the order of their names and addresses. */
export function formatTable(nodes: readonly NodeInfo[], color: boolean): string {
  const rows = [header, ...nodes.map(cellsOf).sort(compareRows)];
  const widths = header.map((_, column) => Math.max(...rows.map((row) => [...(row[column] ?? "")].length)));
  const [head = "", ...lines] = rows.map((row) =>
    row
      .map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - [...cell].length))
      .join(gap)
      .trimEnd(),
  );
  return `${[color ? paint("bold", head) : head, ...lines].join("\n")}\n`;
}

const changeColor = { up: "green", updated: "yellow", down: "red" } as const;

/** A change as a line for people. */
export function formatChange(change: RegistryChange, color: boolean): string {
  const kind = change.kind.padEnd("updated".length);
  const cells = [color ? paint(changeColor[change.kind], kind) : kind, ...cellsOf(change.node)];
  if (change.kind === "down") cells.push(`(${change.reason})`);
  return `${cells.join(gap)}\n`;
}

/** Nodes without a name come last. */
function compareRows(a: readonly string[], b: readonly string[]): number {
  const isUnnamed = ([name]: readonly string[]): number => Number(name === "-");
  return isUnnamed(a) - isUnnamed(b) || a.join(gap).localeCompare(b.join(gap), "en", { numeric: true });
}

function cellsOf(node: NodeInfo): string[] {
  const models = node.models.join(", ");
  const server = [node.server ?? "", models].filter((text) => text !== "").join(": ");
  const transports = [...new Set(node.sources.map((source) => source.transport))].join(",");
  return [
    cell(node.info),
    printable(formatEndpoint(node.host, node.port)),
    printable(node.url ?? "-"),
    cell(server),
    cell(transports),
  ];
}

function cell(text: string): string {
  return cut(printable(text), maxCellWidth) || "-";
}
