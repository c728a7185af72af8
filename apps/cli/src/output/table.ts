import { type NodeInfo, visibleText } from "@lmserv/discovery-core";
import type { UrlKind } from "../options/request.ts";
import { firstFitting, padTo, widthOf } from "./cells.ts";
import { type Cell, type Column, columnsOf, inOrder, type TableOptions } from "./columns.ts";
import { paint } from "./terminal.ts";

const gap = "  ";
/** Bound without a terminal that cuts lines: names and lists may be long, and are complete in the JSON. */
const maxCellWidth = 48;

interface Measured {
  readonly column: Column;
  readonly cells: readonly Cell[];
  readonly leastWidth: number;
  readonly easyWidth: number;
  readonly width: number;
}

/** Table of nodes for people, with a header, in the order of their names and addresses. */
export function formatTable(nodes: readonly NodeInfo[], options: TableOptions): string {
  return `${tableLines(nodes, options).join("\n")}\n`;
}

/** Header, and a line for each node. */
export function tableLines(nodes: readonly NodeInfo[], options: TableOptions): readonly string[] {
  const rows = inOrder(nodes);
  const fitted = fit(measure(columnsOf(rows, options), rows), options.width);
  const head = lineOf(fitted, ({ column }) => column.title);
  const lines = rows.map((_, row) =>
    lineOf(fitted, ({ cells, width }) => firstFitting(cells[row] ?? ["-"], width)),
  );
  return [options.color ? paint("bold", head) : head, ...lines];
}

/** One URL a line, best node first; nodes without such a URL are left out. */
export function formatUrls(nodes: readonly NodeInfo[], kind: UrlKind): string {
  const urls = nodes.flatMap((node) => {
    const url = { url: node.url, base: node.baseUrl, openai: node.openaiUrl }[kind];
    return url === null ? [] : `${visibleText(url)}\n`;
  });
  return urls.join("");
}

function measure(columns: readonly Column[], nodes: readonly NodeInfo[]): readonly Measured[] {
  return columns.map((column) => {
    const cells = nodes.map(column.cellOf);
    const width = Math.max(column.title.length, ...cells.map(([longest]) => widthOf(longest)));
    const { leastWidth, easyWidth = leastWidth } = column;
    return {
      ...{ column, cells, width },
      ...{ leastWidth: Math.min(width, leastWidth), easyWidth: Math.min(width, easyWidth) },
    };
  });
}

/**
 * Drops columns without room, shortens copied ones that would make the rest unreadable, and narrows the rest.
 */
function fit(columns: readonly Measured[], width: number | null): readonly Measured[] {
  if (width === null) {
    return columns.map((one) =>
      one.column.isCopied ? one : { ...one, width: Math.min(one.width, maxCellWidth) },
    );
  }
  const shown = withRoom(columns, width);
  const room = width - gap.length * (shown.length - 1);
  const others = shown.filter(({ column }) => !column.isCopied);
  const copied = shown.filter(({ column }) => column.isCopied).map((one) => shortened(one, others, room));
  const widths = narrowed(others, Math.max(sum(others, "leastWidth"), room - sum(copied, "width")));
  const left = Math.max(1, room - total(widths));
  return shown.map((one) => {
    const own = widths.get(one) ?? Math.min(left, sum(copied, "width"));
    return { ...one, width: own };
  });
}

/** Column in its longest form that leaves the others readable, or else usable. */
function shortened(one: Measured, others: readonly Measured[], room: number): Measured {
  const forms = one.cells.reduce((most, cell) => Math.max(most, cell.length), 1);
  const widths = Array.from({ length: forms }, (_, form) =>
    Math.max(one.column.title.length, ...one.cells.map((cell) => widthOf(cell[form] ?? cell.at(-1) ?? ""))),
  );
  const besides = (key: "easyWidth" | "leastWidth") =>
    widths.find((width) => width <= room - sum(others, key));
  return { ...one, width: besides("easyWidth") ?? besides("leastWidth") ?? one.leastWidth };
}

/** Columns that fit in a line with their least widths; those that yield first are left out. */
function withRoom(columns: readonly Measured[], width: number): readonly Measured[] {
  const needed = sum(columns, "leastWidth") + gap.length * (columns.length - 1);
  const yielding = columns.filter(({ column }) => column.yields > 0);
  if (needed <= width || yielding.length === 0) return columns;
  const first = yielding.reduce((a, b) => (b.column.yields < a.column.yields ? b : a));
  return withRoom(
    columns.filter((one) => one !== first),
    width,
  );
}

/** Takes a cell at a time from the widest column that can spare one. */
function narrowed(columns: readonly Measured[], room: number): ReadonlyMap<Measured, number> {
  const widths = new Map(columns.map((one) => [one, Math.min(one.width, Math.max(room, one.leastWidth))]));
  const spare = (one: Measured): number => (widths.get(one) ?? 0) - one.leastWidth;
  const widthNow = (one: Measured): number => (spare(one) > 0 ? (widths.get(one) ?? 0) : 0);
  while (total(widths) > room) {
    const [widest] = [...columns].sort((a, b) => widthNow(b) - widthNow(a));
    if (!widest || spare(widest) === 0) break;
    widths.set(widest, (widths.get(widest) ?? 0) - 1);
  }
  return widths;
}

function total(widths: ReadonlyMap<Measured, number>): number {
  return [...widths.values()].reduce((all, width) => all + width, 0);
}

function sum(columns: readonly Measured[], key: "width" | "leastWidth" | "easyWidth"): number {
  return columns.reduce((all, one) => all + one[key], 0);
}

function lineOf(columns: readonly Measured[], textOf: (one: Measured) => string): string {
  return columns
    .map((one) => padTo(textOf(one), one.width))
    .join(gap)
    .trimEnd();
}
