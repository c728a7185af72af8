import type { TransportPlugin } from "@lmserv/discovery-core/transport";
import { type Command, Option } from "commander";
import type { EnvRequest } from "../export/env.ts";
import { type Shell, shells } from "../export/shell.ts";
import type { Io } from "../io/io.ts";
import { addSharedOptions, type SharedFlags, sharedRequest } from "../options/options.ts";
import { addTransportFlags } from "../options/transport-flags.ts";

const examples = `
Examples:
  eval "$(lmserv env --shell)"              in sh, bash and zsh
  lmserv env --shell fish | source
  lmserv env > .env

They are those of lmserv up or lmserv gateway on this machine, or else of a server that can answer now.

Exit status: 0 found, 1 none in time, 2 usage, 3 every chosen transport failed, 128 + N ended by signal N.`;

/** Adds `lmserv env`. */
export function envCommand(
  program: Command,
  io: Io,
  plugins: readonly TransportPlugin[],
  run: (request: EnvRequest) => Promise<unknown>,
): void {
  const command = program
    .command("env")
    .description("Print OPENAI_BASE_URL and OLLAMA_HOST for clients on this machine.")
    .addOption(
      new Option("--shell [name]", "as commands of a shell (default: NAME=value; alone: sh)")
        .choices(shells)
        .preset("sh"),
    );
  const settings = addTransportFlags(addSharedOptions(command, io), plugins);
  command.addHelpText("after", examples).action(async (flags: SharedFlags & { readonly shell?: Shell }) => {
    await run({ ...sharedRequest(flags, settings()), shell: flags.shell ?? null });
  });
}
