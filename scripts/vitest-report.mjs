/** Counts what a run of vitest did: `{ passed, failed, skipped, reasons }`, the reasons with their numbers. */
export function countReport({ testResults }) {
  const counts = { passed: 0, failed: 0, skipped: 0, reasons: new Map() };
  for (const file of testResults) {
    for (const test of file.assertionResults) {
      if (test.status === "passed") counts.passed += 1;
      else if (test.status === "failed") counts.failed += 1;
      else {
        counts.skipped += 1;
        const reason = reasonOf(test);
        counts.reasons.set(reason, (counts.reasons.get(reason) ?? 0) + 1);
      }
    }
    // It did not load, or a hook of it failed.
    const isBroken =
      file.status === "failed" && !file.assertionResults.some(({ status }) => status === "failed");
    if (isBroken) counts.failed += 1;
  }
  return counts;
}

/** Tests that cannot run on this machine say why in their name. */
function reasonOf({ fullName }) {
  return fullName.match(/\[skipped: (.*?)\](?: |$)/)?.[1] ?? fullName;
}
