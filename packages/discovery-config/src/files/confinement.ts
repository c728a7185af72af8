import { realpath } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, relative, sep } from "node:path";
import { ConfigError } from "../config-error.ts";
import type { Origin } from "../settings/origin.ts";
import type { Path } from "../settings/setting.ts";

/** Remedy for a file that was only found in the working folder and asks for more than it may. */
export function trustAdvice(file: string): string {
  return `if you trust that folder, name the file: --config ${file}`;
}

/**
 * Restricts a configuration file that was only found to its folder, whatever the links.
 *
 * @param target - File or folder that it names, existing or not.
 * @throws {ConfigError} when the target is elsewhere.
 */
export async function assertInside(
  target: string,
  { file, origin, path }: { readonly file: string; readonly origin: Origin; readonly path: Path },
): Promise<void> {
  const [folder, real] = await Promise.all([resolveLinks(dirname(file)), resolveLinks(target)]);
  const way = relative(folder, real);
  if (way !== "" && way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way)) return;
  throw new ConfigError({
    origin,
    path,
    reason: `names ${target}, which is not in the folder of this file; a file that was only found in the working folder names nothing outside it`,
    fix: trustAdvice(file),
  });
}

/** Target of a path's links; for a missing file, that of its folder. */
async function resolveLinks(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    const folder = dirname(path);
    return folder === path ? path : join(await resolveLinks(folder), basename(path));
  }
}
