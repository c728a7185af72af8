import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { root } from "../command.mjs";
import { changedSince } from "../workspace.mjs";

const program = fileURLToPath(new URL("../test.mjs", import.meta.url));
const turbo = JSON.parse(readFileSync(join(root, "turbo.json"), "utf8"));

test.each([
  [
    ["--only", "luck"],
    "--only luck is not understood; there is: --force --only check|unit|e2e|packages|nodes",
  ],
  [["--fast"], "Unknown option '--fast'"],
])("a mistake in the arguments %j is a failure, and the summary is the last line", (args, problem) => {
  const { status, stdout } = spawnSync(process.execPath, [program, ...args], { encoding: "utf8" });
  expect(status).toBe(1);
  const [message, summary] = stdout.split("\n").slice(-3);
  expect(message).toContain(problem);
  expect(summary).toBe("0 passed, 1 failed, 0 skipped");
});

test("tests on real hosts and on other versions of Node are never replayed, others on the same machine alone", () => {
  const isKept = ({ cache = true }) => cache;
  const tests = Object.entries(turbo.tasks).filter(([name]) => /^\/\/#(test|check):/.test(name));
  const kept = tests.filter(([, task]) => isKept(task));
  expect(tests.filter(([, task]) => !isKept(task)).map(([name]) => name)).toEqual(
    expect.arrayContaining(["//#check:commits", "//#test:e2e", "//#test:node22", "//#test:node24"]),
  );
  expect(kept.length).toBeGreaterThan(3);
  // Without inputs of its own, a task of the root reads every file that git tracks or would.
  expect(kept.filter(([, { env = [], inputs }]) => !env.includes("TEST_MACHINE") || inputs)).toEqual([]);
});

test("what is written, made or removed while a part runs is noticed", () => {
  const folder = mkdtempSync(join(tmpdir(), "lmserv-tree-"));
  try {
    const git = (...args) => execFileSync("git", args, { cwd: folder, stdio: "ignore" });
    git("init");
    for (const name of ["kept", "removed", "ignored"]) writeFileSync(join(folder, name), "");
    writeFileSync(join(folder, ".gitignore"), "ignored\n");
    git("add", ".");
    expect(changedSince(Number.MAX_SAFE_INTEGER, folder)).toEqual([]);
    rmSync(join(folder, "removed"));
    expect(changedSince(Number.MAX_SAFE_INTEGER, folder)).toEqual(["removed"]);
    expect(changedSince(0, folder).sort()).toEqual([".gitignore", "kept", "removed"]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
