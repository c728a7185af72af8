import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

/**
 * `$XDG_STATE_HOME/lmserv`, by default `~/.local/state/lmserv`. A relative path is ignored, as the XDG base
 * directory specification demands.
 */
export function stateDirectory(env: Readonly<Record<string, string | undefined>> = process.env): string {
  const { XDG_STATE_HOME: chosen = "" } = env;
  return join(isAbsolute(chosen) ? chosen : join(homedir(), ".local", "state"), "lmserv");
}
