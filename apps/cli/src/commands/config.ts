import type { TransportPlugin } from "@lmserv/discovery-core/transport";
import type { Command } from "commander";
import type { Io } from "../io/io.ts";
import { addSharedOptions, type SharedFlags, sharedRequest } from "../options/options.ts";
import type { PrintRequest } from "../options/request.ts";
import { addTransportFlags } from "../options/transport-flags.ts";

interface PrintFlags extends SharedFlags {
  readonly json?: true;
}

/** Adds `lmserv config print`. */
export function configCommand(
  program: Command,
  io: Io,
  plugins: readonly TransportPlugin[],
  print: (request: PrintRequest) => Promise<unknown>,
): void {
  const command = program
    .command("config")
    .description("Inspect the configuration.")
    .command("print")
    .description("Print every effective value with its origin.")
    .option("--json", "print JSON");
  const settings = addTransportFlags(addSharedOptions(command, io), plugins, "any");
  command
    .addHelpText("after", "\nExample:\n  lmserv config print --preset office")
    .action(async (flags: PrintFlags) => {
      await print({ ...sharedRequest(flags, settings()), json: flags.json ?? false });
    });
}
