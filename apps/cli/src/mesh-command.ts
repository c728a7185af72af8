import { visibleText } from "@lmserv/discovery-core";
import type { Command } from "commander";
import type { Io } from "./io.ts";
import { UsageError } from "./usage-error.ts";

const examples = `
Examples:
  lmserv mesh keygen mesh.key   makes a file that only its owner can read
  lmserv mesh keygen            prints a key`;

/** Adds `lmserv mesh keygen`. */
export function meshCommand(program: Command, io: Io): void {
  program
    .command("mesh")
    .description("Prepare a mesh: the transport for networks without multicast.")
    .command("keygen")
    .description("Make a new key for the key file that all members of a mesh share.")
    .argument("[file]", "the new file for it (default: print it)")
    .addHelpText("after", examples)
    .action(async (file: string | undefined) => {
      const { generateKey } = await import("@lmserv/discovery-mesh");
      const text = `${generateKey()}\n`;
      if (file !== undefined) return keep(file, text, io);
      io.stdout.write(text);
      if (io.isStdoutShared()) {
        io.stderr.write(
          "lmserv: warning: others can read the file that this key went to: chmod 600, or have it made: lmserv mesh keygen FILE\n",
        );
      }
    });
}

/** @throws {UsageError} when the file is there already, or cannot be made. */
async function keep(file: string, text: string, { createSecret, stderr }: Io): Promise<void> {
  try {
    await createSecret(file, text);
  } catch (error) {
    const isThere = error instanceof Error && "code" in error && error.code === "EEXIST";
    const why = isThere
      ? "it exists already, and a mesh that uses it would lose its members: name another"
      : `${error instanceof Error ? error.message : error}`;
    throw new UsageError(`cannot make the file ${file}: ${why}`, { cause: error });
  }
  stderr.write(
    `lmserv: ${visibleText(file)} holds a new key: copy it to every member, where nobody else can read it\n`,
  );
}
