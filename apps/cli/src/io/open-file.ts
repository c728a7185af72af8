import { type BigIntStats, fstatSync } from "node:fs";

/**
 * Stats of an open file.
 *
 * Node 20 keeps the latest plain stats for its module loader, which after those of a pipe resolves no symbolic links.
 */
export function statsOf(fd: number): BigIntStats {
  return fstatSync(fd, { bigint: true });
}

/** True if others than its owner can read an open file. Windows has no such modes. */
export function isSharedFile(fd: number): boolean {
  if (process.platform === "win32") return false;
  const found = statsOf(fd);
  return found.isFile() && (found.mode & 0o044n) !== 0n;
}
