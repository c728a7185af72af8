import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { announceOriginal, createLan, type Host } from "@lmserv/test-netlab";
import { describeNet, needsPeers } from "@lmserv/test-netlab/vitest";
import { expect, test } from "vitest";
import { announce, listen, lmserv } from "./command.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const readme = await readFile(join(root, "README.md"), "utf8");

function blocks(language: string): string[] {
  const fence = new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, "gms");
  return [...readme.matchAll(fence)].map(([, text = ""]) => text);
}

/** Runs what a block shows after `$ `, and more flags, and holds what comes out, on either stream, against the rest. */
async function hold(block: string, host: Host, ...flags: readonly string[]): Promise<void> {
  const [prompt = "", ...shown] = block.trimEnd().split("\n");
  const [program, ...args] = prompt.replace(/^\$ /, "").split(" ");
  expect(program).toBe("lmserv");
  const { stdout, stderr } = await host.run(lmserv(...args, ...flags));
  const lines = `${stdout}${stderr}`.trimEnd().split("\n");
  expect(lines.map((line) => line.trimEnd())).toEqual(shown);
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

describeNet("the README", () => {
  needsPeers(["python-zeroconf"])("shows what the command prints", async () => {
    await using lan = await createLan({ hosts: 3 });
    const [a, b, c] = lan.hosts;
    const [listing = "", silence = ""] = blocks("console");
    await listen(a, 8_000);
    await announce(a, "--port", "8000", "--info", "gpu-box-01");
    await listen(b, 8_000);
    await announceOriginal(b, { name: "gpu-box-02", info: "gpu-box-02" });
    // A busy machine may take longer than the command usually looks.
    await hold(listing, c, "--wait", "2", "--healthy", "--timeout", "2m");
    await lan.dropMulticast(true);
    await hold(silence, c);
  });

  test("shows programs that compile and run", async () => {
    await mkdir(join(root, "node_modules/.cache"), { recursive: true });
    const folder = await mkdtemp(join(root, "node_modules/.cache/readme-"));
    try {
      await using lan = await createLan({ hosts: 2 });
      const [a, b] = lan.hosts;
      await listen(a, 9_000);
      await announce(a, "--port", "9000", "--info", "neighbour");
      const [shown = "", ...others] = blocks("ts").slice(0, 2);
      // As above: the look ends with both nodes.
      const patient = shown.replace("timeoutMs: 3_000", "timeoutMs: 120_000, atLeast: 2");
      expect(patient).not.toBe(shown);
      const [library = "", original = ""] = await compile([patient, ...others], folder);

      const running = await b.spawn([process.execPath, library]);
      await running.line((line) => line.startsWith(`neighbour http://${a.address}:9000/chat`));
      await running.line((line) => line.startsWith(`gpu-box-01 http://${b.address}:8000/chat`));
      await running.line((line) => line === "up neighbour");
      running.kill("SIGKILL");
      await running.exited;

      const { code, stdout } = await b.run([process.execPath, original]);
      expect(code).toBe(0);
      expect(stdout).toContain(`http://${a.address}:9000/chat`);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
