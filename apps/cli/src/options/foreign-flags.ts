import type { TransportPlugin } from "@lmserv/discovery-core/transport";
import type { Command } from "commander";
import type { Io } from "../io/io.ts";

/** True for a command line with a flag that no own transport declares, or that asks for the flags. */
export function asksForMore(argv: readonly string[], program: Command): boolean {
  const [command = ""] = argv;
  // A configuration that is only printed loads no package.
  if (command === "config") return false;
  const known = new Set(program.commands.flatMap(({ options }) => options.map(({ long }) => long)));
  return command === "completion" || ownWords(argv).some((word) => isFlag(word) && !known.has(nameOf(word)));
}

/** Declarations of the chosen transports that the command does not include. */
export async function foreignPlugins(argv: readonly string[], io: Io): Promise<readonly TransportPlugin[]> {
  const { findForeignPlugins, inputOf } = await import("../config/configuration.ts");
  const config = valuesOf("--config", argv);
  const preset = valuesOf("--preset", argv);
  const transports = valuesOf("--transport", argv)?.split(",");
  const flags = { ...(config && { config }), ...(preset && { preset }), ...(transports && { transports }) };
  return findForeignPlugins(inputOf(flags, io));
}

/** Words before a command of the system. */
function ownWords(argv: readonly string[]): readonly string[] {
  const end = argv.indexOf("--");
  return end === -1 ? argv : argv.slice(0, end);
}

function isFlag(word: string): boolean {
  return word.startsWith("--") || word === "-h";
}

/** Name `--seed` of `--seed=ws://…`. */
function nameOf(word: string): string {
  return word.replace(/=.*/s, "");
}

/** Values of a flag, joined by commas; undefined if it is not given. */
function valuesOf(flag: string, argv: readonly string[]): string | undefined {
  const words = ownWords(argv);
  const values = words.flatMap((word, index) => {
    if (word === flag) return words[index + 1] ?? [];
    return word.startsWith(`${flag}=`) ? word.slice(flag.length + 1) : [];
  });
  return values.length > 0 ? values.join(",") : undefined;
}
