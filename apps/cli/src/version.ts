import { readFileSync } from "node:fs";

/** Version of this package; a bundle has it built in. */
export function readVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  return version;
}
