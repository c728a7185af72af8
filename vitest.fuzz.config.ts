import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "vitest/config";

const packages = new URL("packages", import.meta.url).pathname;
/** Tests of properties, which every run of the tests plays with fewer examples. */
const properties = readdirSync(packages, { recursive: true, encoding: "utf8" })
  .filter((file) => /^[\w-]+\/test\/.*\.test\.ts$/.test(file))
  .map((file) => join(packages, file))
  .filter((file) => !file.endsWith(".hostile.test.ts"))
  .filter((file) => readFileSync(file, "utf8").includes('from "fast-check"'));

export default defineConfig({
  resolve: { conditions: ["@lmserv/source"] },
  ssr: { resolve: { conditions: ["@lmserv/source"] } },
  test: {
    include: ["packages/*/fuzz/**/*.fuzz.ts", "packages/*/test/**/*.hostile.test.ts", ...properties],
    env: { HOSTILE_INPUTS: process.env.HOSTILE_INPUTS ?? "200000" },
    setupFiles: ["scripts/long-properties.mjs"],
    testTimeout: 1_800_000,
    pool: "forks",
    execArgv: ["--expose-gc"],
  },
});
