import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root, run, seconds } from "./command.mjs";
import { setup } from "./setup.mjs";
import { countReport } from "./vitest-report.mjs";

// Sets up, then runs every check and every test, or only those that are asked for.

// On two cores vitest would take one; a third uses the time in which tests wait for real servers.
const unitTests = ["--project", "!e2e", "--maxWorkers=3"];

// What runs on sockets, files, processes and the modules of Node differs from version to version. What is pure, or
// played on a virtual clock, is JavaScript alone; in the trials of servers that fail, most time passes in the servers.
const alikeEverywhere = [
  "**/conformance/**",
  "**/life/**",
  "**/simulation/**",
  "**/strangers.test.ts",
  "**/*.model.test.ts",
  "**/cluster.test.ts",
  "**/discovery-{etcd,nats}/test/conformance.test.ts",
  "**/faults.test.ts",
];
const nodeTests = [
  ...[
    "cli",
    "demo",
    "custom-transport",
    "etcd",
    "fingerprint",
    "signing",
    "mdns",
    "mesh",
    "nats",
    "network",
  ].flatMap((name) => ["--project", name]),
  "--maxWorkers=3",
  ...alikeEverywhere.flatMap((pattern) => ["--exclude", pattern]),
];

const kinds = {
  check: [
    check("biome", ["biome", "check", "--error-on-warnings", "."]),
    check("types", ["tsc", "--noEmit", "-p", "tsconfig.test.json"]),
    check("knip", ["knip"]),
  ],
  unit: [tests("unit", unitTests)],
  // Each of these tests runs a LAN with all its hosts, and mostly waits for what must not happen too soon.
  e2e: [tests("e2e", ["--project", "e2e", "--maxWorkers=4"])],
  nodes: otherNodes().map((version) => tests(`unit on Node ${version}`, nodeTests, on(version))),
};

/** Several times what a part takes on a busy machine. Time limits of tests do not hold for one that blocks its thread. */
const deadlineMs = 20 * 60_000;

const total = { passed: 0, failed: 0, skipped: 0 };
/** Told at the end, where the output of a long run is looked at. */
const remarks = [];
/** How long each part took, in ms. */
const times = new Map();
try {
  const steps = chosenSteps(process.argv.slice(2));
  const env = await timed("setup", setup);
  for (const step of steps) await report(step, env);
} catch (error) {
  console.log(error.message);
  total.failed += 1;
}
for (const remark of remarks) console.log(remark);
if (times.size > 0) console.log(timesLine());
console.log(summary(total));
process.exitCode = total.failed > 0 ? 1 : 0;

function chosenSteps(args) {
  if (args.length === 0) return Object.values(kinds).flat();
  const [option, kind] = args;
  const known = Object.keys(kinds);
  if (args.length === 2 && option === "--only" && known.includes(kind)) return kinds[kind];
  throw new Error(`${args.join(" ")} is not understood; there is: --only ${known.join("|")}`);
}

/** A command that counts as one test. */
function check(name, command) {
  return {
    name,
    async perform(env) {
      const { code, output } = await run(command, env);
      return code === 0
        ? { passed: 1, failed: 0, skipped: 0 }
        : { passed: 0, failed: 1, skipped: 0, failures: [`exit code ${code}`], output };
    },
  };
}

/** Major versions of Node, beside the one that runs this, such as `22,24`. */
function otherNodes() {
  return (process.env.LMSERV_TEST_NODES ?? "").split(",").filter((version) => version !== "");
}

/** What runs a command with another version of Node, whose binary comes from the npm registry. */
function on(version) {
  return ["npx", "--yes", `--package=node@${version}`, "--"];
}

/** A run of vitest, whose tests count. */
function tests(name, options, runner = []) {
  return {
    name,
    async perform(env) {
      const folder = mkdtempSync(join(tmpdir(), "lmserv-test-"));
      try {
        const file = join(folder, "report.json");
        const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
        // Into a pipe it writes colours as well.
        const color = process.stdout.isTTY ? [] : ["--no-color"];
        const command = [...runner, "vitest", "run", ...color, ...options, ...reporters];
        const deadline = AbortSignal.timeout(deadlineMs);
        const { code, output } = await run(command, env, root, deadline);
        return judge(readReport(file), code, output, deadline.aborted);
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  };
}

function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return { testResults: [] };
  }
}

function judge(vitestReport, code, output, isLate) {
  const counts = countReport(vitestReport);
  if (isLate) return failedBy(`it did not end within ${seconds(deadlineMs)}: a test blocks its thread`);
  if (counts.passed + counts.failed === 0) return failedBy("no test ran");
  if (code !== 0 && counts.failed === 0) return failedBy(`exit code ${code}, by something outside the tests`);
  return counts.failed > 0 ? { ...counts, output } : counts;

  function failedBy(reason) {
    return { ...counts, failed: 1, failures: [reason], output };
  }
}

async function report({ name, perform }, env) {
  process.stdout.write(`${name} ... `);
  const outcome = await timed(name, () => perform(env));
  const { output, reasons = new Map(), failures = [], ...counts } = outcome;
  console.log(`${summary(counts)} (${seconds(times.get(name))})`);
  if (output) console.log(output);
  for (const [reason, count] of reasons) console.log(`skipped: ${reason} (${count})`);
  for (const line of failures) remarks.push(`failed: ${name}: ${line}`);
  for (const kind of Object.keys(total)) total[kind] += counts[kind];
}

/** Does a part and keeps how long it took, also when it fails. */
async function timed(name, perform) {
  const startMs = performance.now();
  try {
    return await perform();
  } finally {
    times.set(name, performance.now() - startMs);
  }
}

/** `times: setup 3.0 s, unit 60.1 s; 63.1 s in all` */
function timesLine() {
  const parts = [...times].map(([name, ms]) => `${name} ${seconds(ms)}`);
  const sumMs = [...times.values()].reduce((sum, ms) => sum + ms, 0);
  return `times: ${parts.join(", ")}; ${seconds(sumMs)} in all`;
}

function summary({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}
