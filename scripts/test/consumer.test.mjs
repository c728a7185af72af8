import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { installConsumer } from "../consumer.mjs";
import { modulesOf } from "../entry-points.mjs";
import { pack } from "../tarball.mjs";
import { readPackages } from "../workspace.mjs";

const packages = readPackages();
const folder = mkdtempSync(join(tmpdir(), "lmserv-consumers-"));
let tarballs;

beforeAll(async () => {
  tarballs = await pack(packages, folder);
});

afterAll(() => rmSync(folder, { recursive: true }));

function install(...names) {
  const project = mkdtempSync(join(folder, "consumer-"));
  return installConsumer(project, new Map(names.map((name) => [name, tarballs.get(name)])));
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
    const program = fileURLToPath(new URL("consumer/main.ts", import.meta.url));
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

  const commands = packages.flatMap(({ manifest }) =>
    Object.keys(manifest.bin ?? {}).map((command) => [command, manifest.version]),
  );

  test.each(commands)("has the command %s", async (command, version) => {
    expect(await consumer.run(join("node_modules", ".bin", command), "--version")).toBe(`${version}\n`);
  });
});
