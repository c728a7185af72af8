import { modelNamesOf, type NodeInfo, type RegistryChange, visibleText } from "@lmserv/discovery-core";
import { formatEndpoint } from "@lmserv/discovery-core/transport";
import type { UrlKind } from "../options/request.ts";
import { paint } from "./terminal.ts";

/** Appearance of the list for people. */
export interface TableOptions {
  readonly color: boolean;
  /** Whether the state of each node is shown. */
  readonly states: boolean;
}

const header = ["STATE", "NAME", "SERVER", "MODELS", "URL", "SOURCES"];
/** A name or a list of models may be long; the whole of it is in the JSON. */
const maxCellWidth = 48;
const gap = "  ";

/** Nodes as a table for people, with a header, in the order of their names and addresses. */
export function formatTable(nodes: readonly NodeInfo[], options: TableOptions): string {
  const rows = [header, ...nodes.map(cellsOf).sort(compareRows)].map((row) => shown(row, options));
  const [first = []] = rows;
  const widths = first.map((_, column) => Math.max(...rows.map((row) => [...(row[column] ?? "")].length)));
  const [head = "", ...lines] = rows.map((row) =>
    row
      .map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - [...cell].length))
      .join(gap)
      .trimEnd(),
  );
  return `${[options.color ? paint("bold", head) : head, ...lines].join("\n")}\n`;
}

/** One URL a line, best node first; nodes without such a URL are left out. */
export function formatUrls(nodes: readonly NodeInfo[], kind: UrlKind): string {
  const urls = nodes.flatMap((node) => {
    const url = { url: node.url, base: node.baseUrl, openai: node.openaiUrl }[kind];
    return url === null ? [] : `${visibleText(url)}\n`;
  });
  return urls.join("");
}

const changeColor = { up: "green", updated: "yellow", down: "red" } as const;

/** A change as a line for people. */
export function formatChange(change: RegistryChange, options: TableOptions): string {
  const kind = change.kind.padEnd("updated".length);
  const cells = shown(cellsOf(change.node), options);
  if (change.kind === "down") cells.push(`(${change.reason})`);
  return `${[options.color ? paint(changeColor[change.kind], kind) : kind, ...cells].join(gap)}\n`;
}

/** Without the state, which comes first, where none is known of. */
function shown(row: readonly string[], { states }: TableOptions): string[] {
  return states ? [...row] : row.slice(1);
}

/** Nodes without a name come last. */
function compareRows([, ...a]: readonly string[], [, ...b]: readonly string[]): number {
  const isUnnamed = ([name]: readonly string[]): number => Number(name === "-");
  return isUnnamed(a) - isUnnamed(b) || a.join(gap).localeCompare(b.join(gap), "en", { numeric: true });
}

function cellsOf(node: NodeInfo): string[] {
  const transports = [...new Set(node.sources.map((source) => source.transport))].join(",");
  const endpoint = formatEndpoint(node.host, node.port);
  return [
    node.health?.state ?? "?",
    cell(node.info),
    cell(node.server ?? ""),
    cell(modelNamesOf(node).join(", ")),
    // A scoped address cannot stand in a URL, and still says where the node is.
    visibleText(node.url ?? endpoint),
    cell(transports),
  ];
}

function cell(text: string): string {
  return cut(visibleText(text), maxCellWidth) || "-";
}

/** Cuts text to `width` characters, the last of which tells that it was cut. */
function cut(text: string, width: number): string {
  const characters = [...text];
  return characters.length <= width ? text : `${characters.slice(0, width - 1).join("")}\u{2026}`;
}
