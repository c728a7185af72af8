import { join } from "node:path";
import { root, run } from "../../scripts/command.mjs";
import { environment } from "../../scripts/setup.mjs";
import { readManifest, readPackages } from "../../scripts/workspace.mjs";

/**
 * Packs once for all tests of a run; turbo replays it for the same sources.
 *
 * The builds are left alone, since tests on several hosts read them meanwhile.
 */
export async function setup() {
  const command = ["turbo", "run", "pack:artifacts", "--only", "--output-logs=errors-only"];
  const { code, output } = await run(command, { env: await environment() });
  if (code !== 0) throw new Error(output);
}

const folder = join(root, "artifacts");
const { version } = readManifest("apps/cli");

/** The command as one file. */
export const oneFile = join(folder, "lmserv-full.mjs");

/** The tarball of each package: `name -> file`. */
export const tarballs = new Map(
  readPackages().map(({ name }) => [
    name,
    join(folder, `${name.replace("@", "").replace("/", "-")}-${version}.tgz`),
  ]),
);
