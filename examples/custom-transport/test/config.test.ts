import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";

// In a process of its own, from the built packages, as users have them.
const here = fileURLToPath(new URL("..", import.meta.url));
const command = fileURLToPath(new URL("../../../apps/cli/bin/lmserv.mjs", import.meta.url));
const program = `
  import { discoveryFromConfig } from "@lmserv/discovery-config";
  // A file that is only found beside the program loads no code: it is named.
  const discovery = await discoveryFromConfig({ flags: { config: "lmserv.config.jsonc" } });
  const [node] = await discovery.discover({ timeoutMs: 10_000, atLeast: 1 });
  console.log(JSON.stringify(node));
  await discovery[Symbol.asyncDispose]();
`;

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(here, "test-"));
});

afterEach(() => rm(folder, { recursive: true }));

async function run(content: object, env: Readonly<Record<string, string>> = {}) {
  const options = await configured(content, env);
  return promisify(execFile)(process.execPath, ["--input-type=module", "--eval", program], options);
}

/** Environment that names a configuration file: one that is merely found loads no code. */
async function configured(content: object, env: Readonly<Record<string, string>> = {}) {
  const file = join(folder, "lmserv.config.jsonc");
  await writeFile(file, JSON.stringify(content));
  return { cwd: folder, env: { ...process.env, HOME: folder, LMSERV_CONFIG: file, ...env } };
}

test("a configuration file chooses it by the name of its package", async () => {
  await writeFile(join(folder, "hosts"), "192.0.2.7 8000 gpu-box-01\n");
  const office = { type: "@lmserv/example-custom-transport", hostsFile: "hosts" };
  const { stdout } = await run({ version: 1, transports: { office } });
  expect(JSON.parse(stdout)).toMatchObject({
    host: "192.0.2.7",
    port: 8000,
    info: "gpu-box-01",
    sources: [{ transport: "office" }],
  });
});

test("the command takes it too, which is bundled with a core of its own", async () => {
  await writeFile(join(folder, "hosts"), "192.0.2.7 8000 gpu-box-01\n");
  const office = { type: "@lmserv/example-custom-transport", hostsFile: "hosts" };
  const options = await configured({ version: 1, transports: { office } });
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [command, "discover", "--first", "--json", "--config", "lmserv.config.jsonc"],
    options,
  );
  expect(JSON.parse(stdout)).toMatchObject({
    nodes: [{ info: "gpu-box-01", sources: [{ transport: "office" }] }],
  });
});

test("a file of hosts that is not there is a mistake in the configuration", async () => {
  const office = { type: "@lmserv/example-custom-transport", hostsFile: "not-there" };
  const { stderr } = await run({ version: 1, transports: { office } }).catch((error) => error);
  expect(stderr).toMatch(
    /ConfigError: .*lmserv\.config\.jsonc:1:\d+: transports\.office\.hostsFile names the file/,
  );
});
