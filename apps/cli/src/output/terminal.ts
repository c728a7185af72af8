import type { Io, Output } from "../io/io.ts";

export function canRepaint(stream: Output, { TERM }: Io["env"]): boolean {
  return stream.isTTY === true && TERM !== "dumb";
}

/** Width of terminals that do not tell theirs. */
const usualWidth = 80;

/** Cells of a line of the terminal, or null for other streams, so that nothing is cut. */
export function lineWidth({ isTTY, columns }: Output): number | null {
  return isTTY === true ? columns || usualWidth : null;
}

/** True if the stream shows colours and the user allows them (no-color.org). */
export function hasColor(stream: Output, env: Io["env"]): boolean {
  return canRepaint(stream, env) && !env.NO_COLOR;
}

const styles = { bold: [1, 22], red: [31, 39], green: [32, 39], yellow: [33, 39] } as const;

/**
 * Styles text for a terminal that `hasColor`; `util.styleText` checks the process's own streams in some
 * versions.
 */
export function paint(style: keyof typeof styles, text: string): string {
  const [on, off] = styles[style];
  return `\u001b[${on}m${text}\u001b[${off}m`;
}
