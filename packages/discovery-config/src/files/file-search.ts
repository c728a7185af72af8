import { homedir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import { ConfigError } from "../config-error.ts";
import type { Origin } from "../settings/origin.ts";

export type Environment = Readonly<Record<string, string | undefined>>;
/** Rejects with `ENOENT` for a missing file. */
export type ReadFile = (path: string) => Promise<string>;

export interface FoundFile {
  readonly file: string;
  readonly text: string;
  /**
   * True for a file that the user named, or in a folder of the user's or the system's own.
   *
   * A file that was only found in the working folder is not trusted: it may be part of a cloned repository.
   */
  readonly isTrusted: boolean;
}

const fileName = "lmserv.config.jsonc";

interface Search {
  /** Value of `--config`. */
  readonly flag: string | undefined;
  readonly env: Environment;
  readonly cwd: string;
  readonly readFile: ReadFile;
}

/**
 * Finds the configuration file: the named one, or the first at the usual places.
 *
 * @throws {ConfigError} when a named file is missing, or the first one cannot be read.
 */
export async function findFile({ flag, env, cwd, readFile }: Search): Promise<FoundFile | null> {
  const named = namedFile(flag, env);
  if (named) {
    const file = resolve(cwd, named.file);
    const text = await read(file, readFile, named.origin);
    if (text === null) throw missing(file, named.origin);
    return { file, text, isTrusted: true };
  }
  const trusted = ownPlaces(env);
  for (const file of [join(cwd, fileName), ...trusted]) {
    const text = await read(file, readFile, { kind: "file", file, line: 1, column: 1 });
    if (text !== null) return { file, text, isTrusted: trusted.includes(file) };
  }
  return null;
}

function namedFile(flag: string | undefined, env: Environment): { file: string; origin: Origin } | null {
  if (flag !== undefined) return { file: flag, origin: { kind: "flag", flag: "--config" } };
  const variable = "LMSERV_CONFIG";
  return env[variable] ? { file: env[variable], origin: { kind: "environment", variable } } : null;
}

/** @see XDG Base Directory Specification: a relative `XDG_CONFIG_HOME` is ignored */
function ownPlaces({ XDG_CONFIG_HOME: xdg = "", HOME }: Environment): readonly string[] {
  const folder = isAbsolute(xdg) ? xdg : join(HOME || homedir(), ".config");
  return [join(folder, "lmserv", fileName), join("/etc/lmserv", fileName)];
}

async function read(file: string, readFile: ReadFile, origin: Origin): Promise<string | null> {
  try {
    return await readFile(file);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : null;
    if (code === "ENOENT" || code === "ENOTDIR") return null;
    const reason = `the file ${file} cannot be read: ${error instanceof Error ? error.message : error}`;
    throw new ConfigError({ origin, path: [], reason, fix: "let this user read it", cause: error });
  }
}

function missing(file: string, origin: Origin): ConfigError {
  return new ConfigError({
    origin,
    path: [],
    reason: `the file ${file} does not exist`,
    fix: `name one that does, or leave it out: then ./${fileName}, the XDG folder and /etc/lmserv are looked at`,
  });
}
