import { fstatSync } from "node:fs";

/** True if others than its owner can read an open file. Windows has no such modes. */
export function isSharedFile(fd: number): boolean {
  if (process.platform === "win32") return false;
  const found = fstatSync(fd);
  return found.isFile() && (found.mode & 0o044) !== 0;
}
