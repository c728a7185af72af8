import type { Command } from "commander";
import type { Io } from "./io.ts";
import { addMeshOptions, type MeshFlags, meshSettings } from "./mesh-options.ts";
import { addSharedOptions, type SharedFlags, sharedRequest } from "./options.ts";
import type { PrintRequest } from "./request.ts";

interface PrintFlags extends SharedFlags, MeshFlags {
  readonly json?: true;
}

/** Adds `lmserv config print`. */
export function configCommand(
  program: Command,
  io: Io,
  print: (request: PrintRequest) => Promise<unknown>,
): void {
  const command = program
    .command("config")
    .description("Look at the configuration.")
    .command("print")
    .description("Print every value that counts, and where it comes from.")
    .option("--json", "print JSON");
  addMeshOptions(addSharedOptions(command, io), "member")
    .addHelpText("after", "\nExample:\n  lmserv config print --preset office")
    .action(async (flags: PrintFlags) => {
      await print({ ...sharedRequest(flags, meshSettings(flags)), json: flags.json ?? false });
    });
}
