import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import { describe, test } from "vitest";

/** Only root's path has the folder of system programs. */
const folders = [...(process.env.PATH ?? "").split(":"), "/usr/local/sbin", "/usr/sbin"];

/** Debian's `nats-server`, or null. */
export const serverProgram: string | null =
  folders.map((folder) => join(folder, "nats-server")).find(isExecutable) ?? null;

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

interface Options {
  readonly concurrent?: boolean;
}

/**
 * A `describe` for tests against a real server.
 *
 * Without one they are skipped, and say so, or fail with `LMSERV_REQUIRE_PEERS=1`.
 */
export function describeNats(name: string, options: Options, define: () => void): void {
  if (serverProgram !== null) return void describe(name, options, define);
  const reason = "nats-server is missing: apt-get install nats-server";
  if (process.env.LMSERV_REQUIRE_PEERS !== "1")
    return void describe.skip(`${name} [skipped: ${reason}]`, options, define);
  describe(name, () => {
    test("has a server", () => {
      throw new Error(reason);
    });
  });
}
