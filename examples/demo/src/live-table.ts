import type { NodeInfo } from "@lmserv/discovery-core";
import type { Scene } from "./stage.ts";

/** Requirements of the views on a terminal, or a pipe. */
export interface Output {
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

export type View = (scene: Scene) => void;

/** Redraws the scene in place. */
export function liveTable(output: Output): View {
  let height = 0;
  return ({ nodes, answer, status }) => {
    // A terminal that does not know its size says 0.
    const columns = output.columns || 80;
    const rows = output.rows || 24;
    const text = ["", formatTable(nodes), ...(answer ? ["", answer.trimEnd()] : []), "", status].join("\n");
    const lines = text.split("\n").flatMap((line) => wrap(line, columns));
    const visible = lines.slice(0, rows - 1);
    const home = height > 0 ? `\r\u001b[${height}A\u001b[J` : "";
    output.write(`${home}${visible.join("\n")}\n`);
    height = visible.length;
  };
}

/** Writes the table when it is complete, and then the answer as it comes. */
export function plainTable(output: Output): View {
  let written = 0;
  return ({ nodes, answer }) => {
    if (answer === "") return;
    if (written === 0) output.write(`${formatTable(nodes)}\n\n`);
    output.write(answer.slice(written));
    written = answer.length;
  };
}

const header = ["INFO", "URL", "MODELS"];

function formatTable(nodes: readonly NodeInfo[]): string {
  if (nodes.length === 0) return "No servers.";
  const rows = [header, ...nodes.map(({ info, url, models }) => [info, url ?? "-", models.join(", ")])];
  const widths = header.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  "));
  return lines.map((line) => line.trimEnd()).join("\n");
}

/** Breaks a line where the terminal does, so that lines can be counted. */
function wrap(line: string, columns: number): string[] {
  return line.match(new RegExp(`.{1,${columns}}`, "gu")) ?? [""];
}
