import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { root } from "../command.mjs";

const maxSubject = 60;
/** More than a change has. */
const recent = 50;

test("subjects of commits fit into a line of a log", () => {
  const subjects = git("log", "--no-merges", "--format=%s", `-${recent}`).split("\n");
  expect(subjects.filter((subject) => subject.length > maxSubject)).toEqual([]);
});

/** The empty text without a repository, as in a tarball of the sources. */
function git(...args) {
  try {
    return execFileSync("git", args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch {
    return "";
  }
}
