import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { describe, test } from "vitest";

/** Set in CI, where a skipped test would be an unseen hole. */
const required = process.env.LMSERV_REQUIRE_PEERS === "1";
const isThere = (process.env.PATH ?? "").split(delimiter).some((folder) => {
  try {
    accessSync(join(folder, "etcd"), constants.X_OK);
    return true;
  } catch {
    return false;
  }
});

/** A `describe` for tests that start etcd; without etcd they are skipped, or fail in CI. */
export function describeEtcd(
  name: string,
  options: { readonly concurrent?: boolean },
  define: () => void,
): void {
  const reason = "not installed: etcd-server";
  if (isThere) describe(name, options, define);
  else if (!required) describe.skip(`${name} [skipped: ${reason}]`, define);
  else
    test(name, () => {
      throw new Error(reason);
    });
}
