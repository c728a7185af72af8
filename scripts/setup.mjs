import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { networkInterfaces, release } from "node:os";
import { delimiter, join } from "node:path";
import { root, run, seconds } from "./command.mjs";
import { pruneOutput } from "./prune.mjs";

const { packageManager, engines } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/** Settings of npm for its registry, which pnpm reads under its own prefix only. */
export const registrySettings = ["registry", "cafile", "proxy", "https_proxy", "noproxy", "strict_ssl"];

/**
 * Installs what the lockfile lists and builds it, with nothing but Node and npm; a second or so when nothing
 * changed. With `isForced` nothing is taken from the cache.
 *
 * Resolves with the environment in which the installed commands can be run by name.
 *
 * @throws {Error} with the whole output of the step that failed.
 */
export async function setup({ isForced = false } = {}) {
  assertNode();
  const env = await environment();
  const unattended = ["--frozen-lockfile", "--config.confirm-modules-purge=false"];
  await step("install", ["pnpm", "install", ...unattended], env);
  const forced = isForced ? ["--force"] : ["--cache=local:rw"];
  await step("build", ["turbo", "run", "build", ...forced, "--output-logs=new-only"], env);
  pruneOutput();
  return env;
}

/** The environment in which the pinned pnpm and the installed commands can be run by name. */
export async function environment() {
  const PATH = await pathWithPnpm();
  return { ...process.env, ...pnpmSettings(), PATH, TURBO_TELEMETRY_DISABLED: "1", TEST_MACHINE: machine() };
}

/** Sets up, or ends this process with what went wrong. */
export async function setupOrExit() {
  try {
    return await setup();
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    return process.exit(1);
  }
}

function assertNode() {
  const needed = engines.node.match(/\d+/g).map(Number);
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < needed[0] || (major === needed[0] && minor < needed[1])) {
    throw new Error(`Node ${process.versions.node} is too old: ${engines.node} is needed`);
  }
}

/**
 * Hash of all that tests find on this machine besides the sources: a result holds for it alone.
 *
 * It is Node, the system, the user, the interfaces, and the folders of programs, which change with what is installed.
 */
function machine() {
  const folders = process.env.PATH.split(delimiter).filter((folder) => !folder.includes("node_modules"));
  const timesOf = (folder) => statSync(folder, { throwIfNoEntry: false })?.mtimeMs;
  const interfaces = Object.entries(networkInterfaces());
  const found = [
    ...[process.execPath, process.version, process.platform, process.arch, release(), process.getuid?.()],
    ...folders.map((folder) => [folder, timesOf(folder)]),
    ...interfaces.map(([name, addresses]) => [name, addresses.map(({ family }) => family)]),
  ];
  return createHash("sha256").update(JSON.stringify(found)).digest("hex");
}

/** The path on which the pinned pnpm is found, by us and by turbo; npm asks the registry only if it has to. */
async function pathWithPnpm() {
  const command = (...options) => [
    ...["npm", "exec", "--yes", ...options, `--package=${packageManager}`],
    ...["--", "node", "-p", "process.env.PATH"],
  ];
  const offline = await run(command("--offline"));
  const { stdout } = offline.code === 0 ? offline : await step(packageManager, command());
  return stdout.trim();
}

function pnpmSettings() {
  const settings = registrySettings.map((name) => [`pnpm_config_${name}`, process.env[`npm_config_${name}`]]);
  return Object.fromEntries(settings.filter(([, value]) => value));
}

async function step(name, command, env) {
  const { code, stdout, output, durationMs } = await run(command, { env });
  if (code !== 0) throw new Error(`${output}\n${name} failed after ${seconds(durationMs)}`);
  process.stderr.write(`${name.padEnd(14)} ${seconds(durationMs)}\n`);
  return { stdout };
}
