import { readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";

/**
 * Reads the inodes of all sockets that a process and its descendants hold.
 *
 * An orphaned process has another parent. Sockets of other users' processes are not visible.
 *
 * @param folder - Folder of the processes in procfs. @default "/proc"
 * @returns null if the system does not tell: only Linux has the files.
 * @see proc_pid_stat(5), proc_pid_fd(5)
 */
export async function readSocketsBelow(
  pid: number,
  folder: string = "/proc",
): Promise<ReadonlySet<string> | null> {
  const names = await entriesOf(folder);
  const pids = names.filter((name) => /^\d+$/.test(name)).map(Number);
  if (pids.length === 0) return null;
  const parents = await Promise.all(pids.map((each) => parentOf(join(folder, `${each}`, "stat"))));
  const below = new Set([pid]);
  // Iterating a set includes elements added meanwhile, once.
  for (const above of below) {
    for (const [index, each] of pids.entries()) if (parents[index] === above) below.add(each);
  }
  const sockets = await Promise.all([...below].map((each) => socketsOf(join(folder, `${each}`, "fd"))));
  return new Set(sockets.flat());
}

/** Parent in a file `stat`; null if the process has ended. */
async function parentOf(file: string): Promise<number | null> {
  const text = await readFile(file, "latin1").catch(() => null);
  // The program's name, in parentheses, may hold any character.
  const parent = text?.slice(text.lastIndexOf(")")).split(" ")[2];
  return parent === undefined ? null : Number(parent);
}

async function socketsOf(folder: string): Promise<readonly string[]> {
  const links = await Promise.all(
    (await entriesOf(folder)).map((name) => readlink(join(folder, name)).catch(() => "")),
  );
  return links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []);
}

async function entriesOf(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch(() => []);
}
