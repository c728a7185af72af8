import type { TransportPlugin } from "@lmserv/discovery-core/transport";
import type { Command } from "commander";
import { type AnnounceFlags, addAnnounceOptions, announceRequest } from "../announce/announce-options.ts";
import type { Io } from "../io/io.ts";
import type { RunRequest } from "../options/request.ts";

const examples = `
Examples:
  lmserv run -- ollama serve
  lmserv run -- llama-server --host 0.0.0.0 -m model.gguf
  lmserv run --port 8081 --info "upstairs" -- llama-server --host 0.0.0.0 --port 8081 -m model.gguf
  lmserv run --ports 5001,9000 -- sh -c './prepare && exec ./server'

Options before -- are those of lmserv; all that follows it is the command. On Linux a server is announced from a known
port, or one of --ports, when the command or a process below it listens there. --port names one that any process may
open, such as Docker.

Signals are passed on to the command. Exit status: that of the command, 128 + N where signal N ended it; 127 where
there is no such program, 126 where it cannot be executed; 2 usage.`;

/** Adds `lmserv run`. */
export function runCommand(
  program: Command,
  io: Io,
  plugins: readonly TransportPlugin[],
  argv: readonly string[],
  run: (request: RunRequest) => Promise<unknown>,
): void {
  const command = program
    .command("run")
    .description("Start a server and announce it for as long as it answers.")
    .usage("[options] -- <command...>")
    .argument("<command...>", "the program and its arguments, after --");
  const settings = addAnnounceOptions(command, io, plugins);
  command
    .addHelpText("after", examples)
    .action(async ([first, ...rest]: readonly [string, ...string[]], flags: AnnounceFlags) => {
      if (!isSeparated(argv, rest.length + 1)) {
        command.error(`error: write -- before the command: lmserv run -- ${first} ...`);
      }
      await run({ ...announceRequest(command, flags, settings()), command: [first, ...rest] });
    });
}

/**
 * True if `--` stands before the last words: without it, an option of the command would be taken for one of
 * ours.
 */
function isSeparated(argv: readonly string[], words: number): boolean {
  return argv.at(-words - 1) === "--";
}
