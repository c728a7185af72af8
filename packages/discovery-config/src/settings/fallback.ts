import { ConfigError } from "../config-error.ts";
import { primaryType, standbyCondition } from "../resolve/preset.ts";
import { parseDuration } from "../schema/duration.ts";
import { textOf } from "../schema/frame.ts";
import type { Origin } from "./origin.ts";
import { type Group, nearestAt, type Path } from "./setting.ts";

/** Default silence of mDNS before such a transport runs: two questions without an answer. */
const defaultAfter = "1200ms";

/** Configured condition for a transport to run. */
export interface Fallback {
  readonly path: Path;
  readonly origin: Origin;
  readonly afterMs: number;
}

/** Condition for a transport to run; null if it always runs. */
export function fallbackOf(group: Group, path: Path, announces: boolean): Fallback | null {
  const { origin } = nearestAt(group, ["when"]);
  const after = textOf(group, "after");
  if (after !== null && !group.entries.has("when")) {
    const reason = "sets a time to wait, and 'when' is missing";
    const fix = `add "when": "${standbyCondition}", or delete it`;
    throw new ConfigError({
      origin: nearestAt(group, ["after"]).origin,
      path: [...path, "after"],
      reason,
      fix,
    });
  }
  if (textOf(group, "when") !== standbyCondition) return null;
  if (announces) {
    const reason = `is "${standbyCondition}", and this transport announces: nodes that wait to be needed are never found`;
    throw new ConfigError({
      origin,
      path: [...path, "when"],
      reason,
      fix: 'make it "always", or delete it',
    });
  }
  return { path, origin, afterMs: parseDuration(after ?? defaultAfter) ?? 0 };
}

/** @throws {ConfigError} unless mDNS is among them, and all wait equally long. */
export function assertFallbacks(fallbacks: readonly Fallback[], hasPrimary: boolean): void {
  const [first] = fallbacks;
  if (!first) return;
  if (!hasPrimary) {
    const path = [...first.path, "when"];
    const reason = `is "${standbyCondition}", and no transport is ${primaryType}`;
    throw new ConfigError({
      origin: first.origin,
      path,
      reason,
      fix: `add "${primaryType}": {}, or make it "always"`,
    });
  }
  const other = fallbacks.find(({ afterMs }) => afterMs !== first.afterMs);
  if (!other) return;
  const reason = `is ${other.afterMs} ms, and ${first.path.join(".")} waits ${first.afterMs} ms`;
  const path = [...other.path, "after"];
  throw new ConfigError({ origin: other.origin, path, reason, fix: "let all wait equally long" });
}
