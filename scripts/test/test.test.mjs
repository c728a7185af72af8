import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const program = fileURLToPath(new URL("../test.mjs", import.meta.url));

test("a mistake in the arguments is a failure, and the summary is the last line", () => {
  const { status, stdout } = spawnSync(process.execPath, [program, "--only", "luck"], { encoding: "utf8" });
  expect(status).toBe(1);
  const [message, summary] = stdout.split("\n").slice(-3);
  expect(message).toBe("--only luck is not understood; there is: --only check|unit|e2e|nodes");
  expect(summary).toBe("0 passed, 1 failed, 0 skipped");
});
