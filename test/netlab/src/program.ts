import { accessSync, constants } from "node:fs";
import { join } from "node:path";

/** The caller's `PATH` and the system folders that an ordinary user's lacks: `ip`, `nft`, `avahi-daemon`. */
export const programPath: string = [process.env.PATH, "/usr/local/sbin", "/usr/sbin", "/sbin"]
  .filter((folder) => folder !== undefined && folder !== "")
  .join(":");

/** True if `name` can be run. */
export function hasProgram(name: string): boolean {
  return programPath.split(":").some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
