import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { resolveConfig } from "../src/index.ts";
import { faultOf, made, plugins } from "./harness.ts";

let project: string;

beforeEach(async () => {
  made.length = 0;
  project = await mkdtemp(join(tmpdir(), "lmserv-config-"));
});

afterEach(() => rm(project, { recursive: true }));

/** Plug-in without a dependency, as in a foreign package. */
const source = (note: string) => `export const plugin = {
  type: ${JSON.stringify(note)},
  announces: false,
  options: { "~standard": { version: 1, vendor: "by hand", validate: (value) => ({ value }) } },
  create: (options, { name }) => ({ name, async open() { throw new Error(${JSON.stringify(note)}); } }),
};
`;

async function put(path: string, text: string) {
  const whole = join(project, path);
  await mkdir(dirname(whole), { recursive: true });
  await writeFile(whole, text);
}

async function install(name: string, manifest: object, code: string = source(name), at = "node_modules") {
  await put(`${at}/${name}/package.json`, JSON.stringify({ name, type: "module", ...manifest }));
  await put(`${at}/${name}/entry.js`, code);
}

/** Resolves a file that lists one transport, and returns the type of its plug-in. */
async function typeOf(transport: object, folder = "app", extra = {}) {
  await put(
    `${folder}/lmserv.config.jsonc`,
    JSON.stringify({ version: 1, transports: { static: transport } }),
  );
  const flags = { config: "lmserv.config.jsonc" };
  const { transports } = await resolveConfig({ cwd: join(project, folder), flags, ...extra });
  return transports[0]?.type;
}

describe("a transport is loaded", () => {
  test.each([
    ["by exports", { exports: "./entry.js" }],
    ["by exports for import only", { exports: { ".": { types: "./entry.d.ts", import: "./entry.js" } } }],
    ["by nested conditions", { exports: { ".": { node: { import: "./entry.js" }, default: "./no.js" } } }],
    ["by main", { main: "entry.js" }],
  ])("%s", async (_, manifest) => {
    await install("@lmserv/discovery-static", manifest);
    expect(await typeOf({})).toBe("@lmserv/discovery-static");
  });

  test("of any package, by its whole name", async () => {
    await install("lmserv-static", { main: "entry.js" });
    await install("@acme/static", { main: "entry.js" });
    expect(await typeOf({ type: "lmserv-static" })).toBe("lmserv-static");
    expect(await typeOf({ type: "@acme/static" })).toBe("@acme/static");
  });

  test("from the nearest folder of the file, whatever the working folder is", async () => {
    await install("@lmserv/discovery-static", { main: "entry.js" }, source("far"));
    await install("@lmserv/discovery-static", { main: "entry.js" }, source("near"), "app/node_modules");
    await put("elsewhere/note", "");
    const flags = { config: "../app/lmserv.config.jsonc" };
    expect(await typeOf({}, "app")).toBe("near");
    const { transports } = await resolveConfig({ cwd: join(project, "elsewhere"), flags });
    expect(transports[0]?.type).toBe("near");
  });

  test("from the package that the file belongs to", async () => {
    await put("app/package.json", JSON.stringify({ name: "@acme/own", type: "module", exports: "./own.js" }));
    await put("app/own.js", source("own"));
    expect(await typeOf({ type: "@acme/own" })).toBe("own");
  });

  test("of the program before one of the project, and that before those of other folders", async () => {
    await install("@lmserv/discovery-arp", { main: "entry.js" }, source("installed"), "app/node_modules");
    await install("@lmserv/discovery-arp", { main: "entry.js" }, source("other"), "other/node_modules");
    const from = [join(project, "other")];
    expect(await typeOf({ type: "arp" }, "app", { plugins, from })).toBe("arp");
    expect(await typeOf({ type: "arp" }, "app", { from })).toBe("installed");
    expect(await typeOf({ type: "arp" }, "bare", { from })).toBe("other");
  });

  test("without a file from the program first", async () => {
    await install("@lmserv/discovery-arp", { main: "entry.js" }, source("installed"));
    const flags = { transports: ["arp"] };
    expect((await resolveConfig({ cwd: project, flags, plugins })).transports[0]?.type).toBe("arp");
    expect((await resolveConfig({ cwd: project, flags })).transports[0]?.type).toBe("installed");
  });
});

test("a word is no package of just that name", async () => {
  await install("nats", { main: "entry.js" });
  expect((await faultOf(typeOf({ type: "nats" }))).message).toMatch(/npm install @lmserv\/discovery-nats$/);
});

describe("a package is refused", () => {
  test.each([
    [
      "that exports no plug-in",
      "export const transport = {};",
      /exports no plugin of a transport; name a package/,
    ],
    [
      "that cannot be loaded",
      "throw new Error('no luck');",
      /cannot be loaded: no luck; install it anew: npm install/,
    ],
    [
      "whose transport has another name",
      source("odd").replace("{ name, async", '{ name: "other", async'),
      /is made by the plug-in odd under another name; tell its author/,
    ],
  ])("%s", async (_, code, expected) => {
    await install("@lmserv/discovery-static", { main: "entry.js" }, code);
    expect((await faultOf(typeOf({}))).message).toMatch(expected);
  });
});
