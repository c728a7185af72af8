import { fstatSync } from "node:fs";

/** Whether an open file can be read by others than its owner. Windows has no such modes. */
export function isSharedFile(fd: number): boolean {
  if (process.platform === "win32") return false;
  const found = fstatSync(fd);
  return found.isFile() && (found.mode & 0o044) !== 0;
}
