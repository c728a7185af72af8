import { fileURLToPath } from "node:url";
import type { Command } from "./host-process.ts";

/** Debian's interpreter, which finds Debian's zeroconf, whatever else is in `PATH`. */
export const python = "/usr/bin/python3";

/** Command that runs a script of the folder `peers`. */
export function pythonScript(name: string, ...args: readonly string[]): Command {
  return [python, fileURLToPath(new URL(`../peers/${name}`, import.meta.url)), ...args];
}
