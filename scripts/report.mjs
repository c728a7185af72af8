/**
 * Counts of vitest's JSON report: `{ passed, failed, skipped, reasons }`, the reasons as `reason -> count`.
 *
 * A file that did not load, or of which a hook failed, is a failure as well. Tests that cannot run on this machine say
 * why in their name.
 */
export function countsOf({ numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults }) {
  const broken = testResults.filter(
    ({ status, assertionResults }) =>
      status === "failed" && assertionResults.every((test) => test.status !== "failed"),
  );
  const reasons = new Map();
  for (const { status, fullName } of testResults.flatMap(({ assertionResults }) => assertionResults)) {
    if (status === "passed" || status === "failed") continue;
    const reason = fullName.match(/\[skipped: (.*?)\](?: |$)/)?.[1] ?? fullName;
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  return {
    passed: numPassedTests,
    failed: numFailedTests + broken.length,
    skipped: numPendingTests + numTodoTests,
    reasons,
  };
}
