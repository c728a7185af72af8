import { accessSync, constants, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { root, run, seconds } from "../../scripts/command.mjs";
import { registrySettings } from "../../scripts/setup.mjs";

/** All that a machine without a compiler has: enough to run npm and Node. */
const programs = ["env", "node", "npm", "sh"];

const quiet = ["--no-audit", "--no-fund", "--no-update-notifier", "--prefer-offline"];

/** A registry that says nothing is given up, and asked once more; npm itself would wait for a quarter of an hour. */
const patience = ["--fetch-timeout=30000", "--fetch-retries=1", "--fetch-retry-maxtimeout=10000"];

/**
 * Makes a project in a folder that has nothing but tarballs and what they need, installed by npm.
 *
 * No compiler and no Python is on the path. What is not in npm's cache comes from its registry. When `signal` aborts,
 * npm is killed, and the error says what it had printed.
 */
export async function installConsumer(folder, tarballs, { signal } = {}) {
  const env = bareEnvironment(join(folder, "bin"));
  const dependencies = Object.fromEntries([...tarballs].map(([name, path]) => [name, `file:${path}`]));
  const manifest = { name: "consumer", version: "1.0.0", private: true, type: "module", dependencies };
  writeFileSync(join(folder, "package.json"), JSON.stringify(manifest));
  await succeed(["npm", "install", ...quiet, ...patience], env, folder, signal);
  return {
    /** Installed packages: `name -> { version, hasInstallScript, ... }`, as in npm's lockfile. */
    installed: readInstalled(folder),
    /** Runs something that is installed, and resolves with what it printed. */
    run: (...command) => succeed(command, env, folder),
    /** Checks a program against the installed declarations, all of them, and compiles it to `main.js`. */
    compile: (text) => compile(text, folder),
  };
}

/** Installs a tarball for all users of an empty prefix, and resolves with what runs its commands there. */
export async function installCommand(prefix, tarball, { signal } = {}) {
  const env = { ...bareEnvironment(join(prefix, "programs")), HOME: prefix };
  await succeed(
    ["npm", "install", "--global", "--prefix", prefix, tarball, ...quiet, ...patience],
    env,
    prefix,
    signal,
  );
  return (command, ...args) => run([join(prefix, "bin", command), ...args], { env, cwd: prefix });
}

/** The environment of a user: nothing of this workspace, nor of the runners above this one. */
function bareEnvironment(bin) {
  mkdirSync(bin);
  for (const program of programs) symlinkSync(which(program), join(bin, program));
  const settings = [...registrySettings, "cache", "userconfig"].map((name) => `npm_config_${name}`);
  const inherited = Object.entries(process.env).filter(
    ([name]) => settings.includes(name) || !/^(p?npm_|NODE_(PATH|OPTIONS)$)/i.test(name),
  );
  return { ...Object.fromEntries(inherited), PATH: bin };
}

function which(program) {
  if (program === "node") return process.execPath;
  const candidates = process.env.PATH.split(delimiter).map((folder) => join(folder, program));
  const found = candidates.find(isExecutable);
  if (!found) throw new Error(`${program} is not on the path`);
  return found;
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function readInstalled(folder) {
  const { packages } = JSON.parse(readFileSync(join(folder, "node_modules/.package-lock.json"), "utf8"));
  return new Map(
    Object.entries(packages).map(([path, entry]) => [path.replace(/^node_modules\//, ""), entry]),
  );
}

async function compile(text, folder) {
  writeFileSync(join(folder, "main.ts"), text);
  const compilerOptions = {
    target: "ES2022",
    module: "NodeNext",
    lib: ["ES2023", "ESNext.Disposable"],
    strict: true,
    skipLibCheck: false,
    typeRoots: [join(root, "node_modules/@types")],
    types: ["node"],
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["main.ts"] }));
  await succeed([process.execPath, join(root, "node_modules/typescript/bin/tsc"), "-p", folder]);
}

/** @throws {Error} with what the command printed, when it fails or is killed. */
async function succeed(command, env, cwd, signal) {
  const { code, output, durationMs } = await run(command, { env, cwd, signal });
  const how = signal?.aborted ? `was killed after ${seconds(durationMs)}` : `ended with ${code}`;
  if (code !== 0) throw new Error(`${command.join(" ")} ${how}\n${output}`);
  return output;
}
