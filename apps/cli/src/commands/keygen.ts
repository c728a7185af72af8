import { visibleText } from "@lmserv/discovery-core";
import type { TransportPlugin } from "@lmserv/discovery-core/transport";
import type { Command } from "commander";
import type { Io } from "../io/io.ts";
import { UsageError } from "../options/usage-error.ts";

/** Adds `lmserv TYPE keygen` for a transport whose members share a key. */
export function keygenCommand(program: Command, { type, keygen }: TransportPlugin, io: Io): void {
  if (!keygen) return;
  const examples = `
Examples:
  lmserv ${type} keygen ${type}.key   makes a file that only its owner can read
  lmserv ${type} keygen            prints a key`;
  program
    .command(type)
    .description(keygen.about)
    .command("keygen")
    .description("Make a new key for the key file that all members share.")
    .argument("[file]", "the new file for it (default: print it)")
    .addHelpText("after", examples)
    .action(async (file: string | undefined) => {
      const text = `${await keygen.generate()}\n`;
      if (file !== undefined) return keep(file, text, io);
      io.stdout.write(text);
      if (io.isStdoutShared()) {
        io.stderr.write(
          `lmserv: warning: others can read the file that this key went to: chmod 600, or have it made: lmserv ${type} keygen FILE\n`,
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
      ? "it exists already, and its users would lose the other members: name another file"
      : `${error instanceof Error ? error.message : error}`;
    throw new UsageError(`cannot make the file ${file}: ${why}`, { cause: error });
  }
  stderr.write(
    `lmserv: ${visibleText(file)} holds a new key: copy it to every member, readable to its owner only\n`,
  );
}
