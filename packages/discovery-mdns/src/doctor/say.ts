import type { Checker } from "@lmserv/discovery-core/transport";
import type { checks } from "../codes.ts";

export type Say = Checker<keyof typeof checks>;

const maxNamed = 5;

/** Formats `a, b, c, d, e and 3 more`. */
export function listSome(names: readonly string[]): string {
  const rest = names.length - maxNamed;
  const named = names.slice(0, maxNamed).join(", ");
  return rest > 0 ? `${named} and ${rest} more` : named;
}
