import { modelNamesOf, type NodeInfo, visibleText } from "@lmserv/discovery-core";
import { formatEndpoint } from "@lmserv/discovery-core/transport";
import { formatAge } from "../options/duration.ts";

export interface TableOptions {
  readonly color: boolean;
  /** True to show the state of each node. */
  readonly states: boolean;
  /** True to show the sources even if all rows have the same. */
  readonly verbose: boolean;
  /** Cells of a line, or null if nothing cuts lines. */
  readonly width: number | null;
  /** Wall time for computing ages, in ms since 1970. */
  readonly wallMs: number;
}

/** Text of one node in one column, followed by ever shorter forms. */
export type Cell = readonly [string, ...string[]];

/** Column of the list for people. */
export interface Column {
  readonly title: string;
  /** Cells below which the column is useless; a column with shorter content is narrower. */
  readonly leastWidth: number;
  /** Rank in which the column gives way in a narrow terminal, from 1 on; 0 for never. */
  readonly yields: number;
  /** Comfortable width in cells. @default the least */
  readonly easyWidth?: number;
  /**
   * True if users copy it from the list: it is shortened as a whole column, and cut only in the narrowest
   * one.
   */
  readonly isCopied?: true;
  readonly cellOf: (node: NodeInfo) => Cell;
}

type Candidate = Omit<Column, "cellOf"> & {
  readonly cellOf: (node: NodeInfo, options: TableOptions) => Cell;
  readonly isShown: (nodes: readonly NodeInfo[], options: TableOptions) => boolean;
};

/** A line of a terminal holds about as many names of models. */
const mostShortened = 8;

const always = (): boolean => true;

const candidates: readonly Candidate[] = [
  {
    ...{ title: "STATE", leastWidth: 7, yields: 6 },
    isShown: (_, { states }) => states,
    cellOf: ({ health }) => text(health?.state ?? "?"),
  },
  {
    ...{ title: "NAME", leastWidth: 8, easyWidth: 12, yields: 0 },
    isShown: always,
    cellOf: (node) => text(nameOf(node)),
  },
  {
    ...{ title: "SERVER", leastWidth: 6, easyWidth: 9, yields: 5 },
    isShown: always,
    cellOf: ({ server }) => text(server ?? ""),
  },
  {
    // A state that asks for a key makes the column redundant.
    ...{ title: "AUTH", leastWidth: 4, yields: 3 },
    isShown: (nodes) => nodes.some((node) => isLocked(node) && node.health?.state !== "auth"),
    cellOf: (node) => text(isLocked(node) ? "key" : ""),
  },
  {
    ...{ title: "MODELS", leastWidth: 8, easyWidth: 12, yields: 4 },
    isShown: always,
    cellOf: (node) => listed(modelNamesOf(node)),
  },
  {
    ...{ title: "URL", leastWidth: 21, yields: 0, isCopied: true },
    isShown: always,
    cellOf: address,
  },
  {
    ...{ title: "AGE", leastWidth: 3, yields: 2 },
    isShown: always,
    cellOf: (node, { wallMs }) => text(formatAge(wallMs - firstSeenMs(node))),
  },
  {
    ...{ title: "SOURCES", leastWidth: 7, yields: 1 },
    isShown: (nodes, { verbose }) => verbose || new Set(nodes.map(sourcesOf)).size > 1,
    cellOf: (node) => text(sourcesOf(node)),
  },
];

/** Columns with information about these nodes. */
export function columnsOf(nodes: readonly NodeInfo[], options: TableOptions): readonly Column[] {
  return candidates
    .filter(({ isShown }) => isShown(nodes, options))
    .map((candidate) => ({ ...candidate, cellOf: (node) => candidate.cellOf(node, options) }));
}

/** Nodes by name, nameless ones last, then by address: a node keeps its place while others come and go. */
export function inOrder(nodes: readonly NodeInfo[]): readonly NodeInfo[] {
  const compare = (a: string, b: string): number => a.localeCompare(b, "en", { numeric: true });
  return [...nodes].sort((a, b) => {
    const [nameA, nameB] = [nameOf(a), nameOf(b)];
    const isUnnamed = Number(nameA === "") - Number(nameB === "");
    return (
      isUnnamed || compare(nameA, nameB) || compare(a.host, b.host) || a.port - b.port || compare(a.id, b.id)
    );
  });
}

function nameOf({ info, hostname }: NodeInfo): string {
  return visibleText(info || (hostname ?? "").replace(/\.local\.?$/i, ""));
}

function isLocked({ auth }: NodeInfo): boolean {
  return auth === "required";
}

function sourcesOf({ sources }: NodeInfo): string {
  return [...new Set(sources.map(({ transport }) => transport))].join(",");
}

function firstSeenMs({ sources }: NodeInfo): number {
  return Math.min(...sources.map(({ firstSeenAt }) => Date.parse(firstSeenAt)));
}

/** A scoped address cannot stand in a URL, but still tells the place of the node. */
function address({ url, baseUrl, host, port }: NodeInfo): Cell {
  const endpoint = formatEndpoint(host, port);
  return [visibleText(url ?? endpoint), visibleText(baseUrl ?? endpoint), visibleText(endpoint)];
}

/** Names, as many as fit, with the count of the others. */
function listed(names: readonly string[]): Cell {
  const shown = names.map((name) => visibleText(name));
  const first = (count: number): string => `${shown.slice(0, count).join(", ")} +${shown.length - count}`;
  const shorter = Math.min(shown.length - 1, mostShortened);
  const forms = Array.from({ length: Math.max(0, shorter) }, (_, index) => first(shorter - index));
  return [shown.join(", ") || "-", ...forms];
}

function text(shown: string): Cell {
  return [visibleText(shown) || "-"];
}
