import { realpath, stat } from "node:fs/promises";
import { dirname } from "node:path";

/** Fault of a file that must be private, as a predicate of its name, with the remedy. */
export interface SafetyFault {
  readonly reason: string;
  readonly fix: string;
}

export interface Safety {
  /** Reason to refuse the file: another user could have written it. */
  readonly refusal: SafetyFault | null;
  /** Warning about other users who can read it. */
  readonly warning: SafetyFault | null;
}

const safe: Safety = { refusal: null, warning: null };
const groupOrOthersWrite = 0o022;
const groupOrOthersRead = 0o044;
const sticky = 0o1000;
const root = 0;

/**
 * Checks if others could have written a file of keys, or can read it, as ssh and git do.
 *
 * The file and each folder on its path must belong to the user or to root. No other user may write to them. A
 * folder with the sticky bit, such as `/tmp`, may be writable, since only owners replace files there. Root
 * may use files of any user. A system without modes and owners (Windows) reports no fault, and neither does a
 * pipe.
 *
 * @param user - Reader of the file. @default the user of this process
 */
export async function inspectFile(file: string, user: number | null = currentUser()): Promise<Safety> {
  if (user === null) return safe;
  const found = await factsOf(file);
  if (!found?.isFile) return safe;
  const folders = await Promise.all([...(await foldersOf(file))].map(factsOf));
  const all = [found, ...folders.filter((one) => one !== null)];
  const refusal = all.map((one) => refusalOf(one, user)).find((fault) => fault !== null) ?? null;
  return { refusal, warning: warningOf(found) };
}

function currentUser(): number | null {
  return process.geteuid?.() ?? null;
}

interface Facts {
  readonly path: string;
  readonly isFile: boolean;
  readonly mode: number;
  readonly owner: number;
}

async function factsOf(path: string): Promise<Facts | null> {
  try {
    const found = await stat(path);
    return { path, isFile: found.isFile(), mode: found.mode & 0o7777, owner: found.uid };
  } catch {
    // The reader reports the error.
    return null;
  }
}

/** Folders on a file's path as written, and on the path to the target of its links. */
async function foldersOf(file: string): Promise<ReadonlySet<string>> {
  const real = await realpath(file).catch(() => file);
  return new Set([...ancestorsOf(file), ...ancestorsOf(real)]);
}

function ancestorsOf(path: string): readonly string[] {
  const folder = dirname(path);
  return folder === path ? [] : [folder, ...ancestorsOf(folder)];
}

function refusalOf({ path, isFile, mode, owner }: Facts, user: number): SafetyFault | null {
  const which = isFile ? "which" : `which lies in ${path}, which`;
  if (owner !== user && owner !== root && user !== root) {
    return { reason: `${which} belongs to user ${owner}`, fix: `make it yours: chown ${user} ${path}` };
  }
  const isShared = (mode & groupOrOthersWrite) !== 0 && (isFile || (mode & sticky) === 0);
  if (!isShared) return null;
  const reason = `${which} others can write (mode ${octal(mode)})`;
  return { reason, fix: `take that from them: chmod go-w ${path}` };
}

function warningOf({ path, mode }: Facts): SafetyFault | null {
  if ((mode & groupOrOthersRead) === 0) return null;
  const reason = `which others can read (mode ${octal(mode)})`;
  return { reason, fix: `unless it has to be so, as in a container: chmod 600 ${path}` };
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}
