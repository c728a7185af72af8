import { stripVTControlCharacters } from "node:util";

const maxReasonLength = 1_000;

/**
 * Counts what a run of vitest did: `{ passed, failed, skipped, reasons, failures }`; the reasons of what was skipped
 * with their numbers, and a line for each failure.
 */
export function countReport({ testResults }) {
  const tests = testResults.flatMap(({ assertionResults }) => assertionResults);
  const passed = tests.filter(({ status }) => status === "passed");
  const failed = tests.filter(({ status }) => status === "failed");
  const skipped = tests.filter(({ status }) => status !== "passed" && status !== "failed");
  const failures = [...failed.map(lineOf), ...testResults.filter(isBroken).map(fileLine)];
  return {
    passed: passed.length,
    failed: failures.length,
    skipped: skipped.length,
    reasons: countEach(skipped.map(reasonOf)),
    failures,
  };
}

/** It did not load, or a hook of it failed. */
function isBroken({ status, assertionResults }) {
  return status === "failed" && !assertionResults.some((test) => test.status === "failed");
}

function lineOf({ fullName, failureMessages = [] }) {
  return line(fullName, failureMessages[0]);
}

function fileLine({ name, message }) {
  return line(name, message);
}

/** The message in one line, without the stack. */
function line(name, message = "") {
  const [said] = stripVTControlCharacters(message).split(/\n\s+at /);
  const reason = said.trim().replace(/\s+/g, " ").slice(0, maxReasonLength);
  return reason === "" ? name : `${name}: ${reason}`;
}

/** Tests that cannot run on this machine say why in their name. */
function reasonOf({ fullName }) {
  return fullName.match(/\[skipped: (.*?)\](?: |$)/)?.[1] ?? fullName;
}

function countEach(reasons) {
  const counts = new Map();
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return counts;
}
