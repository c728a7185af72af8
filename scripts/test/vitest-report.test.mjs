import { expect, test } from "vitest";
import { countReport } from "../vitest-report.mjs";

const file = (status, ...tests) => ({
  status,
  assertionResults: tests.map(([status, fullName]) => ({ status, fullName })),
});

test("counts what passed, failed and did not run", () => {
  const testResults = [
    file("passed", ["passed", "a"], ["skipped", "b"], ["todo", "c"]),
    file("failed", ["passed", "d"], ["failed", "e"], ["failed", "f"]),
  ];
  expect(countReport({ testResults })).toMatchObject({ passed: 2, failed: 2, skipped: 2 });
});

test("a file that did not load, or whose hook failed, is a failure", () => {
  const testResults = [file("failed"), file("failed", ["skipped", "a"]), file("failed", ["passed", "b"])];
  expect(countReport({ testResults })).toMatchObject({ passed: 1, failed: 3, skipped: 1 });
});

test("tells why tests did not run", () => {
  const testResults = [
    file("passed", ["skipped", "a LAN [skipped: no ip] carries"], ["skipped", "a LAN [skipped: no ip] ends"]),
    file("passed", ["skipped", "sees avahi [skipped: not installed: avahi]"], ["skipped", "rests"]),
  ];
  expect([...countReport({ testResults }).reasons]).toEqual([
    ["no ip", 2],
    ["not installed: avahi", 1],
    ["rests", 1],
  ]);
});

test("says in a line what failed, and why", () => {
  const failed = {
    status: "failed",
    fullName: "a LAN carries",
    failureMessages: ["\u001b[31mError: no\nway\n    at x"],
  };
  const broken = { status: "failed", name: "b.test.ts", message: "SyntaxError", assertionResults: [] };
  expect(
    countReport({ testResults: [{ status: "failed", assertionResults: [failed] }, broken] }),
  ).toMatchObject({
    failures: ["a LAN carries: Error: no way", "b.test.ts: SyntaxError"],
  });
});
