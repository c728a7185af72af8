import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "./command.mjs";
import { setup } from "./setup.mjs";

// Runs the conformance tests and writes docs/mdns-conformance.md from what they found out; `npm test` holds their
// results against the page.

const env = await setup();
const { findingOf } = await import("../test/netlab/dist/conformance/finding.js");
const { renderTable } = await import("../test/netlab/dist/conformance/table.js");
const { testFolders, tablePath } = await import("../test/netlab/dist/conformance/page.js");

const folder = mkdtempSync(join(tmpdir(), "lmserv-conformance-"));
try {
  const file = join(folder, "report.json");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
  const { code, output } = await run(["vitest", "run", ...testFolders, "--maxWorkers=2", ...reporters], {
    env: { ...env, LMSERV_CONFORMANCE_TABLE: "write" },
  });
  const findings = findingsIn(JSON.parse(readFileSync(file, "utf8")));
  writeFileSync(tablePath, renderTable(findings));
  console.log(`${tablePath}: ${findings.length} tests`);
  for (const { id, name, verdict } of findings) {
    if (verdict === "fails" || verdict === "not run") console.log(`${verdict}: ${id} ${name}`);
  }
  if (code !== 0) console.log(output);
  process.exitCode = code === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true });
}

function findingsIn({ testResults }) {
  return testResults.flatMap(({ name, assertionResults }) =>
    assertionResults.flatMap(({ meta: { conformance }, status }) =>
      conformance ? [findingOf(conformance, name, status)] : [],
    ),
  );
}
