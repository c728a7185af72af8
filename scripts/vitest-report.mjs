import { stripVTControlCharacters } from "node:util";

const maxReasonLength = 300;

/**
 * Counts what a run of vitest did: `{ passed, failed, skipped, reasons, failures }`; the reasons of what was skipped with
 * their numbers, and a line for each failure.
 */
export function countReport({ testResults }) {
  const counts = { passed: 0, failed: 0, skipped: 0, reasons: new Map(), failures: [] };
  for (const file of testResults) {
    for (const test of file.assertionResults) {
      if (test.status === "passed") counts.passed += 1;
      else if (test.status === "failed") {
        counts.failed += 1;
        counts.failures.push(lineOf(test.fullName, test.failureMessages?.[0]));
      } else {
        counts.skipped += 1;
        const reason = reasonOf(test);
        counts.reasons.set(reason, (counts.reasons.get(reason) ?? 0) + 1);
      }
    }
    // It did not load, or a hook of it failed.
    const isBroken =
      file.status === "failed" && !file.assertionResults.some(({ status }) => status === "failed");
    if (isBroken) {
      counts.failed += 1;
      counts.failures.push(lineOf(file.name, file.message));
    }
  }
  return counts;
}

function lineOf(name, message = "") {
  const [first] = stripVTControlCharacters(message).trim().split("\n");
  return first === "" ? name : `${name}: ${first.slice(0, maxReasonLength)}`;
}

/** Tests that cannot run on this machine say why in their name. */
function reasonOf({ fullName }) {
  return fullName.match(/\[skipped: (.*?)\](?: |$)/)?.[1] ?? fullName;
}
