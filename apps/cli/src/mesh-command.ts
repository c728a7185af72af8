import type { Command } from "commander";
import type { Io } from "./io.ts";

/** Adds `lmserv mesh keygen`. */
export function meshCommand(program: Command, io: Io): void {
  program
    .command("mesh")
    .description("Prepare a mesh: the transport for networks without multicast.")
    .command("keygen")
    .description("Print a new key for the key file that all members of a mesh share.")
    .addHelpText(
      "after",
      "\nExample:\n  (umask 077; lmserv mesh keygen > mesh.key)\n  lmserv mesh keygen | Set-Content -Encoding ascii mesh.key   in PowerShell",
    )
    .action(async () => {
      const { generateKey } = await import("@lmserv/discovery-mesh");
      io.stdout.write(`${generateKey()}\n`);
    });
}
