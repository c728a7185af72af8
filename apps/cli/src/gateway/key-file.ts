import { resolve } from "node:path";
import { inspectFile } from "@lmserv/discovery-config";
import { explain } from "@lmserv/discovery-core/transport";
import type { Io } from "../io/io.ts";
import { UsageError } from "../options/usage-error.ts";
import type { Reporter } from "../output/reporter.ts";

/** A key that can be guessed in a night protects nothing. */
const pattern = /^[\x21-\x7e]{16,1024}$/;

/**
 * Reads a key: one line of visible ASCII.
 *
 * @throws {UsageError} for a file that another user could have written, that is unreadable, or that holds no
 * key.
 */
export async function readKeyFile(name: string, { cwd, readFile }: Io, reporter: Reporter): Promise<string> {
  const file = resolve(cwd, name);
  const { refusal, warning } = await inspectFile(file);
  if (refusal) throw new UsageError(`the key file ${file}, ${refusal.reason}: ${refusal.fix}`);
  const key = (await readText(file, readFile)).trim();
  if (!pattern.test(key)) {
    throw new UsageError(
      `the key file ${file} holds no key: one line of 16 to 1024 visible ASCII characters`,
    );
  }
  if (warning) reporter.warn(`the key file ${file}, ${warning.reason}: ${warning.fix}`);
  return key;
}

async function readText(file: string, readFile: Io["readFile"]): Promise<string> {
  try {
    return String(await readFile(file));
  } catch (error) {
    throw new UsageError(`the key file ${file} cannot be read: ${explain(error)}`, { cause: error });
  }
}
