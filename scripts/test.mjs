import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { root, run, seconds } from "./command.mjs";
import { countsOf } from "./report.mjs";
import { setup } from "./setup.mjs";

// Sets up, then has turbo run every check and every test, or only those that are asked for. What passed before on the
// same tree and the same machine is replayed, unless --force is given.

/** Steps of each part; a step is tasks of turbo.json that run side by side. */
const parts = {
  check: [
    ["check:format", "check:types", "check:unused", "check:manifests", "check:comments", "check:commits"],
  ],
  unit: [["test:unit"]],
  e2e: [["test:e2e"]],
  packages: [["test:packages"]],
  nodes: otherNodes().map((major) => [`test:node${major}`]),
};

/** Exit code of scripts/part.mjs when files were edited meanwhile. */
const unsettled = 75;

const nothing = { passed: 0, failed: 0, skipped: 0, reasons: [] };
const total = { passed: 0, failed: 0, skipped: 0 };
/** Duration of each part. */
const times = [];
const startMs = performance.now();
try {
  const { only, force: isForced } = readArguments();
  const env = await setup({ isForced });
  times.push(["setup", performance.now() - startMs]);
  // One after another: side by side they take as long, and starve each other.
  const steps = only === undefined ? Object.values(parts).flat() : parts[only];
  for (const step of steps) await performStep(step, { env, isForced }).catch(fail);
} catch (error) {
  fail(error);
}
if (times.length > 0) {
  const each = times.map(([name, ms]) => `${name} ${seconds(ms)}`).join(", ");
  console.log(`times: ${each}; ${seconds(performance.now() - startMs)} in all`);
}
console.log(summary(total));
process.exitCode = total.failed > 0 ? 1 : 0;

/** Major versions of Node besides the running one, such as `22,24`. */
function otherNodes() {
  return (process.env.LMSERV_TEST_NODES ?? "").split(",").filter((major) => major !== "");
}

/** Counts an error outside the tests as a failure. */
function fail({ message }) {
  console.log(message);
  total.failed += 1;
}

function readArguments() {
  const { only, force } = parse();
  if (only === undefined || only in parts) return { only, force };
  throw new Error(`--only ${only} is not understood; ${usage()}`);
}

function parse() {
  try {
    const options = { only: { type: "string" }, force: { type: "boolean", default: false } };
    return parseArgs({ options }).values;
  } catch (error) {
    throw new Error(`${error.message}; ${usage()}`);
  }
}

function usage() {
  return `there is: --force --only ${Object.keys(parts).join("|")}`;
}

/** Has turbo run some tasks, and tells of each. */
async function performStep(tasks, { env, isForced }) {
  for (const task of tasks) rmSync(reportOf(task), { force: true });
  const options = [
    "--only",
    "--continue=always",
    "--summarize",
    "--output-logs=errors-only",
    "--log-prefix=task",
  ];
  const forced = isForced ? ["--force"] : [];
  const { output, durationMs } = await run(["turbo", "run", ...tasks, ...options, ...forced], { env });
  const done = readSummary(output);
  const outcomes = tasks.map((task) => [task, outcomeOf(done.find((one) => one.task === task))]);
  for (const [task, outcome] of outcomes) tell(task, outcome);
  if (outcomes.some(([, { failed }]) => failed > 0)) console.log(output);
  times.push([tasks[0].startsWith("check:") ? "check" : tasks[0].slice("test:".length), durationMs]);
}

/** Outcome of each task of turbo. */
function readSummary(output) {
  const [, file] = output.match(/Summary: +(.+\.json)/) ?? [];
  if (!file) throw new Error(output);
  const { tasks } = JSON.parse(readFileSync(file, "utf8"));
  rmSync(file);
  return tasks;
}

/** A check counts as one test, a run of vitest as its report says. */
function outcomeOf({ task, execution, cache }) {
  const { exitCode = 1, startTime = 0, endTime = 0 } = execution ?? {};
  const isGreen = exitCode === 0 || exitCode === unsettled;
  const how = cache.status === "HIT" ? "replayed" : seconds(endTime - startTime);
  const note = exitCode === unsettled ? "; files were edited meanwhile, so that it is not kept" : "";
  return { ...counted(task, isGreen), how: how + note };
}

function counted(task, isGreen) {
  if (task.startsWith("check:"))
    return { passed: Number(isGreen), failed: Number(!isGreen), skipped: 0, reasons: [] };
  const counts = existsSync(reportOf(task))
    ? countsOf(JSON.parse(readFileSync(reportOf(task), "utf8")))
    : nothing;
  // Something outside the tests failed, or none ran.
  if (counts.failed === 0 && (!isGreen || counts.passed === 0)) return { ...counts, failed: 1 };
  return counts;
}

function reportOf(task) {
  return join(root, "dist/reports", `${task.replace("test:", "")}.json`);
}

function tell(task, { how, reasons, ...counts }) {
  console.log(`${task} ... ${summary(counts)} (${how})`);
  for (const [reason, count] of reasons) console.log(`skipped: ${reason} (${count})`);
  for (const kind of Object.keys(total)) total[kind] += counts[kind];
}

function summary({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}
