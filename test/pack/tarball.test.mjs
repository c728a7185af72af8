import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { root, run } from "../../scripts/command.mjs";
import { modulesOf } from "../../scripts/entry-points.mjs";
import { readPackages } from "../../scripts/workspace.mjs";
import { tarballs } from "./artifacts.mjs";
import { installConsumer } from "./consumer.mjs";
import { faultsOf, openTarball } from "./tarball.mjs";

const packages = readPackages();
const folder = mkdtempSync(join(tmpdir(), "lmserv-tarballs-"));
const opened = new Map();

beforeAll(() => {
  for (const [name, path] of tarballs) {
    const place = join(folder, basename(path, ".tgz"));
    mkdirSync(place);
    opened.set(name, openTarball(path, place));
  }
});

afterAll(() => rmSync(folder, { recursive: true }));

test.each(packages)("$name, packed, holds what it refers to and declares what it imports", ({ name }) => {
  expect(faultsOf(opened.get(name))).toEqual([]);
});

/** Runs a command that is installed here. */
function runBin(name, ...args) {
  return run([join(root, "node_modules/.bin", name), ...args]);
}

// They mostly start: as many at once as there may be.
describe.concurrent("for a package,", () => {
  test.each(packages)("publint has nothing to say of $name", async ({ name }) => {
    const { code, output } = await runBin("publint", "run", tarballs.get(name), "--strict");
    expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining("All good!") });
  });

  // Resolutions that know no exports map, or no ESM, are left out by this profile.
  const libraries = packages.filter(({ manifest }) => modulesOf(manifest).length > 0);
  test.each(libraries)("attw finds the types of $name", async ({ name }) => {
    const { code, output } = await runBin("attw", tarballs.get(name), "--profile", "esm-only", "--no-color");
    expect({ code, output }).toMatchObject({ code: 0 });
  });
});

describe("a tarball", () => {
  const good = () => {
    const { manifest, files, read } = opened.get("@lmserv/discovery-mdns");
    return { manifest, files, read };
  };
  const withText = (tarball, file, text) => ({
    ...tarball,
    read: (other) => (other === file ? text : tarball.read(other)),
  });

  test.each([
    [
      "a stray file",
      (it) => ({ ...it, files: [...it.files, "test/x.test.ts"] }),
      /^test\/x\.test\.ts does not/,
    ],
    ["the compiler's notes", (it) => ({ ...it, files: [...it.files, "dist/.tsbuildinfo"] }), /^dist\/\.ts/],
    ["no licence", (it) => ({ ...it, files: it.files.filter((file) => file !== "LICENSE") }), /no LICENSE$/],
    ["another licence", (it) => withText(it, "LICENSE", "Mine."), /^LICENSE is another$/],
    [
      "no README",
      (it) => ({ ...it, files: it.files.filter((file) => file !== "README.md") }),
      /no README\.md$/,
    ],
    [
      "no sources",
      (it) => ({ ...it, files: it.files.filter((file) => !file.startsWith("src/")) }),
      /^package\.json refers to src\/index\.ts/,
    ],
    [
      "a lost module",
      (it) => ({ ...it, files: it.files.filter((file) => !file.endsWith("/cache.ts")) }),
      /cache\.ts/,
    ],
    [
      "a module that nothing imports",
      (it) => withText({ ...it, files: [...it.files, "src/left.ts"] }, "src/left.ts", ""),
      /^src\/left\.ts is reached by no export$/,
    ],
    [
      "a version of this workspace",
      (it) => ({
        ...it,
        manifest: { ...it.manifest, dependencies: { ...it.manifest.dependencies, a: "workspace:^" } },
      }),
      /a is workspace:\^$/,
    ],
    [
      "an undeclared import",
      (it) => withText(it, "dist/bundle.js", 'import { a } from "@b/c/d";\n'),
      /@b\/c\/d/,
    ],
    [
      "an undeclared type",
      (it) => withText(it, "dist/index.d.ts", 'export type A = import("ws").A;\n'),
      /ws, which/,
    ],
  ])("with %s is found out", (_, spoil, fault) => {
    expect(faultsOf(good())).toEqual([]);
    expect(faultsOf(spoil(good())).join("\n")).toMatch(fault);
  });
});

/** Ends before its hook does, to tell what npm had printed. */
const installMs = 240_000;
const ending = new AbortController();
afterAll(() => ending.abort());

function install(...names) {
  const project = mkdtempSync(join(folder, "consumer-"));
  const signal = AbortSignal.any([ending.signal, AbortSignal.timeout(installMs)]);
  return installConsumer(project, new Map(names.map((name) => [name, tarballs.get(name)])), { signal });
}

describe("a project with the core and mDNS, installed by npm without a compiler,", () => {
  let consumer;

  beforeAll(async () => {
    consumer = await install("@lmserv/discovery-core", "@lmserv/discovery-network", "@lmserv/discovery-mdns");
  });

  test("stands on a machine without a compiler", async () => {
    const script = "command -v cc || command -v gcc || command -v make || command -v python3 || echo none";
    expect(await consumer.run("sh", "-c", script)).toBe("none\n");
  });

  test("has nothing that it does not need", () => {
    expect([...consumer.installed.keys()].sort()).toEqual([
      "@leichtgewicht/ip-codec",
      "@lmserv/discovery-core",
      "@lmserv/discovery-mdns",
      "@lmserv/discovery-network",
      "dns-packet",
      "multicast-dns",
      "thunky",
    ]);
  });

  test("compiles, and finds a server on the loopback interface", async () => {
    const program = fileURLToPath(new URL("program.ts", import.meta.url));
    await consumer.compile(readFileSync(program, "utf8"));
    expect(await consumer.run("node", "main.js")).toBe("found consumer at http://127.0.0.1:8000/chat\n");
  });
});

describe("a project with every package, installed by npm without a compiler,", () => {
  let consumer;

  beforeAll(async () => {
    consumer = await install(...packages.map(({ name }) => name));
  });

  test("needs nothing that is built when it is installed", () => {
    const built = [...consumer.installed].filter(([, entry]) => entry.hasInstallScript && !entry.optional);
    expect(built.map(([name]) => name)).toEqual([]);
  });

  test("compiles with every entry point, and loads it", async () => {
    const specifiers = packages
      .flatMap(({ manifest }) => modulesOf(manifest))
      .map(({ specifier }) => specifier);
    const imports = specifiers.map((specifier, i) => `import * as module${i} from "${specifier}";`);
    const lines = specifiers.map((_, i) => `console.log(Object.keys(module${i}).length > 0);`);
    await consumer.compile([...imports, ...lines].join("\n"));
    expect(await consumer.run("node", "main.js")).toBe("true\n".repeat(specifiers.length));
  });

  test("loads from CommonJS as well", async () => {
    const program = 'console.log(typeof require("@lmserv/discovery-mdns").mdns)';
    const output = await consumer.run("node", "--no-warnings", "--input-type=commonjs", "--eval", program);
    expect(output).toBe("function\n");
  });
});
