import { existsSync } from "node:fs";
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ConfigInput, resolveConfig } from "../src/index.ts";
import { faultOf, made, plugins } from "./harness.ts";

// The working folder is foreign, such as a cloned repository.

let place: string;
let folder: string;

beforeEach(async () => {
  made.length = 0;
  place = await realpath(await mkdtemp(join(tmpdir(), "lmserv-foreign-")));
  folder = join(place, "cloned");
  await put("cloned/note", "");
});

afterEach(() => rm(place, { recursive: true }));

async function put(path: string, text: string): Promise<void> {
  const whole = join(place, path);
  await mkdir(dirname(whole), { recursive: true });
  await writeFile(whole, text, { mode: 0o600 });
}

/** Leaves a mark when it runs. */
const source = () => `
  import { writeFileSync } from "node:fs";
  writeFileSync(${JSON.stringify(join(place, "mark"))}, "");
  export const plugin = {
    type: "evil",
    announces: false,
    options: { "~standard": { version: 1, vendor: "evil", validate: (value) => ({ value }) } },
    create: (options, { name }) => ({ name, async open() { throw new Error("no"); } }),
  };`;

const hasRun = () => existsSync(join(place, "mark"));

async function install(name: string, at: string): Promise<void> {
  await put(`${at}/package.json`, JSON.stringify({ name, type: "module", exports: "./entry.js" }));
  await put(`${at}/entry.js`, source());
}

async function configure(transports: object): Promise<void> {
  await put("cloned/lmserv.config.jsonc", JSON.stringify({ version: 1, transports }));
}

function resolve(input: Partial<ConfigInput> = {}) {
  return resolveConfig({ cwd: folder, env: { HOME: join(place, "home") }, plugins, ...input });
}

const named = { flags: { config: "lmserv.config.jsonc" } };
const mesh = (options: object) => ({ mesh: { seeds: ["ws://10.0.0.1:7946"], ...options } });

describe("a configuration file that only lies in the working folder loads no code", () => {
  test.each([
    ["of its own package", "cloned"],
    ["of its packages", "cloned/node_modules/lmserv-x"],
    ["of a parent's packages", "node_modules/lmserv-x"],
  ])("%s", async (_, at) => {
    await install("lmserv-x", at);
    await configure({ x: { type: "lmserv-x" } });
    expect((await faultOf(resolve())).message).toBe(
      `${folder}/lmserv.config.jsonc:1:33: transports.x needs the package lmserv-x, and a file that was only found in the working folder loads no code; if you trust that folder, name the file: --config ${folder}/lmserv.config.jsonc`,
    );
    expect(hasRun()).toBe(false);
  });

  test("and leaves an optional one out, with the same words", async () => {
    await install("lmserv-x", "cloned");
    await configure({ mdns: {}, x: { type: "lmserv-x", optional: true } });
    const { transports, warnings } = await resolve();
    expect(transports.map(({ name }) => name)).toEqual(["mdns"]);
    expect(warnings).toEqual([expect.stringContaining("loads no code; if you trust that folder")]);
    expect(hasRun()).toBe(false);
  });

  test("also of one that is typed, as the file decides what that is", async () => {
    await install("lmserv-x", "cloned");
    await configure({ x: { type: "lmserv-x" } });
    await faultOf(resolve({ flags: { transports: ["x"] } }));
    expect(hasRun()).toBe(false);
  });

  test.each([
    ["by --config", named],
    ["by LMSERV_CONFIG", { env: { LMSERV_CONFIG: "lmserv.config.jsonc" } }],
  ])("unless the user names it: %s", async (_, input) => {
    await install("lmserv-x", "cloned");
    await configure({ x: { type: "lmserv-x" } });
    expect((await resolve(input)).transports).toMatchObject([{ name: "x", type: "evil" }]);
    expect(hasRun()).toBe(true);
  });

  test("unless it is the user's own", async () => {
    await install("lmserv-x", "home/.config/lmserv/node_modules/lmserv-x");
    await put("home/.config/lmserv/lmserv.config.jsonc", '{"version":1,"transports":{"lmserv-x":{}}}');
    expect((await resolve()).transports).toMatchObject([{ type: "evil" }]);
  });
});

describe("a package in a parent folder", () => {
  test.each([
    ["nothing", {}],
    ["a flag", { flags: { transports: ["arp"] } }],
    ["a file that was named", named],
  ])("never takes the place of a built-in type, by the word of %s", async (_, input) => {
    await install("@lmserv/discovery-mdns", "node_modules/@lmserv/discovery-mdns");
    await install("@lmserv/discovery-arp", "cloned/node_modules/@lmserv/discovery-arp");
    await configure({ mdns: {}, arp: {} });
    await resolve(input);
    expect(made.length).toBeGreaterThan(0);
    expect(hasRun()).toBe(false);
  });

  test("is no place for a type that another build of the program has built in", async () => {
    await install("@lmserv/discovery-etcd", "cloned/node_modules/@lmserv/discovery-etcd");
    const elsewhere = new Map([["etcd", "use the other one"]]);
    const { message } = await faultOf(resolve({ flags: { transports: ["etcd"] }, elsewhere }));
    expect(message).toContain("use the other one");
    expect(hasRun()).toBe(false);
  });

  test("is loaded when the user types its name, and not for a variable of the environment", async () => {
    await install("lmserv-x", "cloned/node_modules/lmserv-x");
    await faultOf(resolve({ env: { LMSERV_TRANSPORTS: "lmserv-x" } }));
    expect(hasRun()).toBe(false);
    expect((await resolve({ flags: { transports: ["lmserv-x"] } })).transports).toHaveLength(1);
  });
});

describe("a configuration file that only lies in the working folder names nothing outside it", () => {
  beforeEach(async () => {
    await put("home/.ssh/id_ed25519", "PRIVATE");
    await put("cloned/keys/mesh.key", "theirs");
    await symlink(join(place, "home/.ssh"), join(folder, "keys/linked"));
    await symlink(join(place, "home/.ssh/id_ed25519"), join(folder, "innocent.key"));
  });

  test.each([
    ["a whole path", () => join(place, "home/.ssh/id_ed25519")],
    ["a way up", () => "../home/.ssh/id_ed25519"],
    ["a way up that is hidden", () => "keys/../../home/.ssh/id_ed25519"],
    ["a link", () => "innocent.key"],
    ["a folder that is a link", () => "keys/linked/id_ed25519"],
    ["what is not there", () => "/nowhere/at/all"],
    ["the folder itself", () => "."],
  ])("by %s", async (_, name) => {
    await configure(mesh({ keyFile: name() }));
    const { message } = await faultOf(resolve());
    expect(message).toMatch(
      /transports\.mesh\.keyFile names .*, which is not in the folder of this file; .*; if you trust that folder, name the file: --config/,
    );
    expect(message).not.toContain("PRIVATE");
    expect(made).toEqual([]);
  });

  test.each(["peersFile", "state"])("by the option %s", async (key) => {
    await configure(mesh({ keyFile: "keys/mesh.key", [key]: "../home/.ssh/id_ed25519" }));
    expect((await faultOf(resolve())).message).toContain(`transports.mesh.${key} names ${place}/home/.ssh`);
  });

  test("but what lies in it", async () => {
    await configure(mesh({ keyFile: "keys/mesh.key", state: "not/there/yet" }));
    await resolve();
    expect(made).toMatchObject([{ options: { key: "theirs", state: join(folder, "not/there/yet") } }]);
  });

  test("unless the user names it", async () => {
    await configure(mesh({ keyFile: "../home/.ssh/id_ed25519" }));
    await resolve(named);
    expect(made).toMatchObject([{ options: { key: "PRIVATE" } }]);
  });

  test.each([
    ["a variable", { env: { LMSERV_TRANSPORTS__MESH__KEY: "mine" } }, "LMSERV_TRANSPORTS__MESH__KEY"],
    [
      "a flag",
      { flags: { options: [{ flag: "--key-file", key: "keyFile", value: "/home/me/mesh.key" }] } },
      "--key-file",
    ],
  ])("and gets no secret that the user gave, as %s", async (_, input, shown) => {
    await configure(mesh({}));
    const { message } = await faultOf(resolve(input));
    expect(message).toContain(`transports.mesh.seeds decides where ${shown} is sent`);
    expect(message).not.toContain("mine");
    expect(made).toEqual([]);
  });
});

test("to look at a configuration loads no package, and shows no variable that may be a secret", async () => {
  await install("lmserv-x", "cloned");
  await configure({ mdns: {}, x: { type: "lmserv-x", rate: 7 } });
  const env = { LMSERV_TRANSPORTS__X__TOKEN: "hunter2" };
  const { transports, settings, warnings } = await resolve({ ...named, env, inspects: true });
  expect(transports.map(({ name }) => name)).toEqual(["mdns"]);
  const own = settings.filter(({ path }) => path.startsWith("transports.x."));
  expect(own.map(({ path, value }) => [path, value])).toEqual([
    ["transports.x.type", "lmserv-x"],
    ["transports.x.rate", 7],
    ["transports.x.token", null],
    ["transports.x.when", "always"],
  ]);
  expect(warnings).toEqual([
    expect.stringMatching(/^transports\.x is of the package of lmserv-x, which is not loaded/),
  ]);
  expect(hasRun()).toBe(false);
});

test("a file that was named and is no configuration is not shown, not even its first characters", async () => {
  await put("cloned/mesh.key", "hunter2hunter2\n");
  const { message } = await faultOf(resolve({ flags: { config: "mesh.key" } }));
  expect(message).toContain("mesh.key:1:1: ");
  expect(message).not.toContain("hunter");
});
