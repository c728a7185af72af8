import { readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";

/**
 * Reads the inodes of all sockets that a process holds, or a process below it.
 *
 * A process whose parent ended belongs to another one; the sockets of a process of another user are not shown.
 *
 * @param folder - Folder of the processes in procfs. @default "/proc"
 * @returns null where the system does not tell: only Linux has the files.
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
  // A set also shows what is added while it is read, once.
  for (const above of below) {
    for (const [index, each] of pids.entries()) if (parents[index] === above) below.add(each);
  }
  const sockets = await Promise.all([...below].map((each) => socketsOf(join(folder, `${each}`, "fd"))));
  return new Set(sockets.flat());
}

/** Parent in a file `stat`; null where the process has ended. */
async function parentOf(file: string): Promise<number | null> {
  const text = await readFile(file, "latin1").catch(() => null);
  // The name of the program, in parentheses, may hold anything.
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
