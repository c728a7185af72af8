import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { announceOriginal, createLan, type Host, type HostProcess } from "@lmserv/test-netlab";
import { describeNet, needsPeers } from "@lmserv/test-netlab/vitest";
import { expect, test } from "vitest";
import { announce, listen, lmserv } from "./command.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const ollama = fileURLToPath(new URL("../gateway/ollama-host.mjs", import.meta.url));
const readme = await readFile(join(root, "README.md"), "utf8");

function blocks(language: string): string[] {
  const fence = new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, "gms");
  return [...readme.matchAll(fence)].map(([, text = ""]) => text);
}

/** Runs what a block shows after `$ `, and more flags, and holds what comes out against the rest; ages differ. */
async function hold(block: string, host: Host, ...flags: readonly string[]): Promise<void> {
  const { args, shown } = session(block);
  const { stdout, stderr } = await host.run(lmserv(...args, ...flags));
  const lines = `${stdout}${stderr}`.trimEnd().split("\n");
  expect(lines.map((line) => line.trimEnd().replace(/\d+s$/, "1s"))).toEqual(shown);
}

/** The arguments of `lmserv` in a block, and what it printed. */
function session(block: string): { args: readonly string[]; shown: readonly string[] } {
  const [prompt = "", ...shown] = block.trimEnd().split("\n");
  const [program, ...args] = prompt.replace(/^\$ /, "").split(" ");
  expect(program).toBe("lmserv");
  return { args, shown };
}

/** Compiles blocks as a user would and returns the programs. */
async function compile(sources: readonly string[], folder: string): Promise<readonly string[]> {
  const options = {
    noEmit: false,
    composite: false,
    incremental: false,
    isolatedDeclarations: false,
    noUnusedLocals: false,
    outDir: "dist",
  };
  const config = {
    extends: join(root, "tsconfig.base.json"),
    compilerOptions: options,
    files: sources.map((_, index) => `example-${index}.ts`),
  };
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(config));
  await writeFile(join(folder, "package.json"), '{"type":"module"}');
  for (const [index, source] of sources.entries()) {
    await writeFile(join(folder, `example-${index}.ts`), source);
  }
  await promisify(execFile)(join(root, "node_modules/.bin/tsc"), ["-p", folder]);
  return sources.map((_, index) => join(folder, `dist/example-${index}.js`));
}

/** Installs the command as the README says, out of its tarball; resolves with the path of `lmserv`. */
async function install(folder: string): Promise<string> {
  const run = promisify(execFile);
  const packed = await run("npm", ["pack", join(root, "apps/cli"), "--pack-destination", folder, "--json"]);
  const [{ filename }] = JSON.parse(packed.stdout);
  const [line = ""] = /npm install -g @lmserv\/cli/.exec(readme) ?? [];
  const [program = "", ...words] = line.replace("@lmserv/cli", join(folder, filename)).split(" ");
  await run(program, [...words, "--prefix", folder, "--offline", "--no-audit", "--no-fund"]);
  return join(folder, "bin/lmserv");
}

/** Starts a command on a host whose name is `name`. */
function spawnNamed(host: Host, name: string, ...command: readonly string[]): Promise<HostProcess> {
  return host.spawn(["unshare", "--uts", "sh", "-c", 'hostname "$0" && exec "$@"', name, ...command]);
}

describeNet("the README", () => {
  test("leads from nothing to an answer with two commands a host", async () => {
    const folder = await mkdtemp(join(tmpdir(), "lmserv-newcomer-"));
    try {
      const program = await install(folder);
      await using lan = await createLan({ hosts: 3 });
      const [{ args, shown }, curl] = [session(blocks("console")[0] ?? ""), blocks("sh")[0] ?? ""];
      for (const host of lan.hosts.slice(0, 2)) {
        const server = await host.spawn([process.execPath, ollama, "llama3:latest", "0.0.0.0"]);
        await server.line((line) => line === "listening");
      }
      const names = ["gpu-box-01", "gpu-box-02", "laptop"];
      const ups = await Promise.all(
        lan.hosts.map((host, index) => spawnNamed(host, names[index] ?? "", program, ...args)),
      );
      for (const line of shown) await ups[0]?.stderrLine((printed) => printed === line);
      const laptop = lan.hosts[2];
      await ups[2]?.stderrLine((line) => line === shown.at(-1));
      expect(await laptop?.run(["sh", "-c", curl])).toMatchObject({
        code: 0,
        stdout: expect.stringContaining("hello"),
      });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  needsPeers(["python-zeroconf"])("shows what the command prints", async () => {
    await using lan = await createLan({ hosts: 3 });
    const [a, b, c] = lan.hosts;
    const [, listing = ""] = blocks("console");
    await listen(a, 8_000);
    await announce(a, "--port", "8000", "--info", "gpu-box-01");
    await listen(b, 8_000);
    await announceOriginal(b, { name: "gpu-box-02", info: "gpu-box-02" });
    // A busy machine may take longer than the command usually looks.
    await hold(listing, c, "--wait", "2", "--healthy", "--timeout", "2m");
  });

  test("shows programs that compile and run", async () => {
    await mkdir(join(root, "node_modules/.cache"), { recursive: true });
    const folder = await mkdtemp(join(root, "node_modules/.cache/readme-"));
    try {
      await using lan = await createLan({ hosts: 2 });
      const [a, b] = lan.hosts;
      await listen(a, 9_000);
      await announce(a, "--port", "9000", "--info", "neighbour");
      const [shown = "", plain = ""] = [...blocks("ts"), ...blocks("js")];
      // As above: the look ends with both nodes.
      const patient = shown.replace("timeoutMs: 3_000", "timeoutMs: 120_000, atLeast: 2");
      expect(patient).not.toBe(shown);
      const [library = ""] = await compile([patient], folder);

      const running = await b.spawn([process.execPath, library]);
      await running.line((line) => line.startsWith(`neighbour http://${a.address}:9000/chat`));
      await running.line((line) => line.startsWith(`gpu-box-01 http://${b.address}:8000/chat`));
      await running.line((line) => line === "up neighbour");
      running.kill("SIGKILL");
      await running.exited;

      const script = join(folder, "plain.js");
      await writeFile(script, plain.replace("timeoutMs: 3_000", "timeoutMs: 120_000, atLeast: 1"));
      const { code, stdout } = await b.run([process.execPath, script]);
      expect({ code, stdout }).toEqual({ code: 0, stdout: `neighbour http://${a.address}:9000/chat\n` });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
