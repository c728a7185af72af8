import { execFile, spawn } from "node:child_process";
import { createPublicKey, verify } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";

// The built command, which knows nothing of this folder but what a configuration file names.
const here = fileURLToPath(new URL("..", import.meta.url));
const command = fileURLToPath(new URL("../../../apps/cli/bin/lmserv.mjs", import.meta.url));

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(here, "test-"));
  await configure({ office: { type: "@lmserv/example-custom-transport" } });
  await writeFile(join(folder, "hosts"), "192.0.2.7 8000 gpu-box-01\n192.0.2.8 8000 gpu-box-02\n");
});

afterEach(() => rm(folder, { recursive: true }));

function configure(transports: object): Promise<void> {
  return writeFile(join(folder, "lmserv.config.jsonc"), JSON.stringify({ version: 1, transports }));
}

function environment() {
  const own = { HOME: folder, XDG_STATE_HOME: folder, LMSERV_CONFIG: "lmserv.config.jsonc" };
  return { cwd: folder, env: { ...process.env, ...own } };
}

/** Resolves with what it prints and how it ends, whichever way that is. */
async function lmserv(...argv: readonly string[]) {
  const started = promisify(execFile)(process.execPath, [command, ...argv], environment());
  const { stdout, stderr, code = 0 } = await started.catch((error) => error);
  return { stdout: String(stdout), stderr: String(stderr), code };
}

test("its options are flags of the command, with help and types", async () => {
  const argv = ["--hosts-file", "hosts", "--max-hosts=1", "--wait", "1", "--no-check", "--json"];
  const { stdout } = await lmserv("discover", ...argv);
  expect(JSON.parse(stdout).nodes).toMatchObject([{ info: "gpu-box-01" }]);
  const help = await lmserv("discover", "--help");
  expect(help.stdout).toMatch(/--hosts-file <file> +static: the file that lists the servers/);
});

test("a mistake in a flag names the flag, the value and what is allowed", async () => {
  const { stderr, code } = await lmserv("discover", "--hosts-file", "hosts", "--max-hosts", "many");
  expect(code).toBe(2);
  expect(stderr).toContain(
    '--max-hosts: transports.office.maxHosts must be a whole number from 1 to 100000, and is "many"',
  );
});

test("the doctor shows its codes", async () => {
  const codes = async () => {
    const argv = ["--json", "--transport", "office", "--hosts-file", "hosts"];
    const checks: { code: string; verdict: string }[] = JSON.parse(
      (await lmserv("doctor", ...argv)).stdout,
    ).checks;
    return checks.map(({ code, verdict }) => [code, verdict]);
  };
  expect(await codes()).toContainEqual(["static/hosts-listed", "ok"]);
  await writeFile(join(folder, "hosts"), "nobody\n");
  expect(await codes()).toContainEqual(["static/hosts-empty", "warn"]);
});

test("a shell completes its flags", async () => {
  expect((await lmserv("completion", "bash")).stdout).toContain("--hosts-file");
});

const radio = `
  export const plugin = {
    type: "radio",
    announces: true,
    signs: true,
    options: { "~standard": { version: 1, vendor: "radio", validate: (value) => ({ value }) } },
    create: (_, { name, identity }) => ({
      name,
      async open() {
        const { key } = await identity();
        return {
          async *browse() {},
          async announce({ port }) {
            const text = "on air: " + port;
            console.log(JSON.stringify({ publicKey: key.publicKey, text, signature: key.sign(text) }));
            return { update: async () => {}, [Symbol.asyncDispose]: async () => {} };
          },
          async [Symbol.asyncDispose]() {},
        };
      },
    }),
  };
`;

test("a transport of anybody's signs with the identity of who announces", async () => {
  const home = join(folder, "node_modules/lmserv-radio");
  await mkdir(home, { recursive: true });
  const manifest = { name: "lmserv-radio", type: "module", exports: "./index.js" };
  await writeFile(join(home, "package.json"), JSON.stringify(manifest));
  await writeFile(join(home, "index.js"), radio);
  await configure({ radio: { type: "lmserv-radio" } });
  const argv = [command, "announce", "--port", "8000", "--no-check"];
  const running = spawn(process.execPath, argv, { ...environment(), stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(running.stdout, "data");
  running.kill();
  await once(running, "exit");
  const { publicKey, text, signature } = JSON.parse(String(line));
  expect(text).toBe("on air: 8000");
  const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: publicKey }, format: "jwk" });
  expect(verify(null, Buffer.from(text), key, Buffer.from(signature, "base64url"))).toBe(true);
});
