import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

/**
 * Entry of a package that is installed for a folder, as a URL to import; null if it is not installed.
 *
 * It is that of `import` in a module of the folder; Node 20 resolves for the caller's folder only.
 */
export function packageEntry(name: string, folder: string): string | null {
  for (let at = folder; ; at = dirname(at)) {
    const inside = join(at, "node_modules", name);
    const manifest = manifestIn(inside);
    if (manifest) return entryOf(manifest, inside);
    const own = manifestIn(at);
    if (own?.name === name && own.exports !== undefined) return entryOf(own, at);
    if (dirname(at) === at) return null;
  }
}

interface Manifest {
  readonly name?: unknown;
  readonly main?: unknown;
  readonly exports?: unknown;
}

function manifestIn(folder: string): Manifest | null {
  try {
    const manifest: unknown = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    return typeof manifest === "object" ? manifest : null;
  } catch {
    // Missing or broken: no package either way.
    return null;
  }
}

function entryOf({ exports, main = "index.js" }: Manifest, folder: string): string | null {
  const entry = exports === undefined ? String(main) : exportTarget(exports);
  return entry === null ? null : pathToFileURL(join(folder, entry)).href;
}

const conditions: readonly string[] = [".", "node", "import", "module-sync", "default"];

/** First applicable key. @see Node's documentation of conditional exports */
function exportTarget(exports: unknown): string | null {
  if (typeof exports === "string") return exports;
  if (typeof exports !== "object" || exports === null) return null;
  for (const [key, target] of Object.entries(exports)) {
    const found = conditions.includes(key) ? exportTarget(target) : null;
    if (found !== null) return found;
  }
  return null;
}
