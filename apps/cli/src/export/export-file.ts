import { randomBytes } from "node:crypto";
import { open, rename, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/**
 * Puts a text in the place of a file, as a whole: a reader has the old text or the new one.
 *
 * @throws the system's error; the old file is there then.
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  const folder = dirname(path);
  // A name that nobody can have prepared, in the same file system.
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
