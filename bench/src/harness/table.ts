import { type Figure, formatFigure } from "./figure.ts";

export type Cell = Figure | string;

/** Result of a section. */
export interface Table {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
  /** Facts that a reader needs to judge the figures. */
  readonly notes: readonly string[];
}

/** Markdown, aligned so that it reads well on a terminal too. */
export function formatTable({ title, head, rows, notes }: Table): string {
  const texts = [head, ...rows.map((row) => row.map(formatCell))];
  const widths = head.map((_, column) => Math.max(...texts.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, column) => (cells[column] ?? "").padEnd(width)).join(" | ")} |`;
  const rule = `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`;
  const [first = [], ...others] = texts;
  return [
    `### ${title}`,
    "",
    line(first),
    rule,
    ...others.map(line),
    "",
    ...notes.map((note) => `- ${note}`),
    "",
  ].join("\n");
}

function formatCell(cell: Cell): string {
  return typeof cell === "string" ? cell : formatFigure(cell);
}
