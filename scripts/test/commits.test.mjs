import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../command.mjs";

const maxSubject = 60;
/** More than a change has. */
const recent = 50;
const isTarball = !existsSync(join(root, ".git"));

test.skipIf(isTarball)(
  `subjects of commits fit into a line${isTarball ? " [skipped: no repository]" : ""}`,
  () => {
    const log = ["log", "--no-merges", "--format=%s", `-${recent}`];
    const subjects = execFileSync("git", log, { cwd: root, encoding: "utf8" }).trimEnd().split("\n");
    expect(subjects.length).toBeGreaterThan(0);
    expect(subjects.filter((subject) => subject === "" || subject.length > maxSubject)).toEqual([]);
  },
);
