import { randomBytes } from "node:crypto";
import { open, rename, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/**
 * Replaces a file atomically: a reader gets the old text or the new one.
 *
 * @throws the system's error; the old file remains then.
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  const folder = dirname(path);
  // Random name, which no other process can have prepared, in the same file system.
  const waiting = join(folder, `.${basename(path)}.${randomBytes(6).toString("hex")}`);
  const file = await open(waiting, "wx", 0o644);
  try {
    await file.writeFile(text);
    await file.sync();
    await file.close();
    await rename(waiting, path);
  } catch (error) {
    await file.close().catch(() => {});
    await unlink(waiting).catch(() => {});
    throw error;
  }
}
