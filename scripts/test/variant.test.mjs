import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { isBuiltin } from "node:module";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePort } from "../../packages/discovery-store/test/free-port.ts";
import { root, run } from "../command.mjs";
import { buildVariant, variantNames } from "../variants.mjs";
import { readPackages } from "../workspace.mjs";

const folder = mkdtempSync(join(tmpdir(), "lmserv-variants-"));
const built = new Map();

beforeAll(async () => {
  for (const name of variantNames) built.set(name, await buildVariant(name, join(folder, "built")));
});

/** A test that takes too long leaves its own running. */
const running = new Set();

afterAll(async () => {
  await Promise.all([...running].map(({ stop }) => stop()));
  rmSync(folder, { recursive: true });
});

/** A machine's worth of nothing: an empty folder to start in, and nothing in the user's own folders. */
function emptyPlace() {
  const place = mkdtempSync(join(folder, "empty-"));
  const cwd = join(place, "work");
  mkdirSync(cwd);
  const { PATH } = process.env;
  return { cwd, env: { PATH, HOME: place, XDG_STATE_HOME: join(place, "state") } };
}

function lmserv(variant, place, ...args) {
  return run([process.execPath, built.get(variant).file, ...args], place);
}

/** A command that goes on until it is disposed of; `said` resolves with the first line that fits. */
function start(variant, place, ...args) {
  const child = spawn(process.execPath, [built.get(variant).file, ...args], { ...place, stdio: "pipe" });
  const lines = [];
  const waiting = new Set();
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on("line", (line) => {
      lines.push(line);
      for (const check of waiting) check();
    });
  }
  const ended = once(child, "close").then(() => {
    for (const check of waiting) check(new Error(`it ended:\n${lines.join("\n")}`));
  });
  const started = {
    said: (fits) =>
      new Promise((resolve, reject) => {
        const check = (error) => {
          const line = lines.find(fits);
          if (line !== undefined) resolve(line);
          else if (error) reject(error);
          else return waiting.add(check);
          waiting.delete(check);
        };
        check();
      }),
    async stop() {
      running.delete(started);
      child.kill("SIGKILL");
      await ended;
    },
  };
  running.add(started);
  return started;
}

/** Announces with one process, and with another waits until all these transports have heard of it. */
async function expectHeard(variant, transports, announcing, discovering) {
  const place = emptyPlace();
  const info = `variant-${variant}-${process.pid}`;
  // One process of a machine announces a port.
  const port = await freePort();
  const announcer = start(variant, place, "announce", "--port", `${port}`, "--info", info, ...announcing);
  const over = new Set();
  try {
    await announcer.said((line) => line.includes("announced "));
    const watch = ["discover", "--watch", "--json", ...discovering];
    const watcher = start(variant, place, ...watch);
    try {
      await watcher.said((line) => {
        const { node } = JSON.parse(line);
        if (node?.info === info) for (const { transport } of node.sources) over.add(transport);
        return transports.every((transport) => over.has(transport));
      });
    } finally {
      await watcher.stop();
    }
  } finally {
    await announcer.stop();
  }
  expect(readdirSync(place.cwd)).toEqual([]);
}

const mdnsOnly = ["--interface", "lo"];
/** Options of a member and of others that join it; without a key a mesh stays on the loopback interface. */
async function meshOptions() {
  const port = await freePort();
  return { member: ["--listen", `127.0.0.1:${port}`], seed: ["--seed", `ws://127.0.0.1:${port}`] };
}

describe.concurrent("a variant, in an empty folder,", () => {
  test.each(["lan", "office"])("%s finds what it announces over mDNS", async (variant) => {
    const mdns = ["--transport", "mdns", ...mdnsOnly];
    await expectHeard(variant, ["mdns"], ["--no-check", ...mdns], mdns);
  });

  test("mesh finds what it announces over the mesh, which need not be named", async () => {
    const { member, seed } = await meshOptions();
    await expectHeard("mesh", ["mesh"], ["--no-check", ...member], seed);
  });

  test("full does both at once", async () => {
    const { member, seed } = await meshOptions();
    const both = ["--transport", "mdns,mesh", ...mdnsOnly];
    await expectHeard("full", ["mdns", "mesh"], ["--no-check", ...both, ...member], [...both, ...seed]);
  });

  test.each(variantNames)("%s reads a configuration and makes each of its transports", async (variant) => {
    const place = emptyPlace();
    const { transports } = built.get(variant);
    const config = { version: 1, transports: Object.fromEntries(transports.map((type) => [type, {}])) };
    writeFileSync(
      join(place.cwd, "lmserv.config.jsonc"),
      `// The first file there is.\n${JSON.stringify(config)}`,
    );
    const { code, output } = await lmserv(variant, place, "config", "print");
    expect({ code, output }).toMatchObject({
      code: 0,
      output: expect.stringContaining(`transports = ${JSON.stringify(transports)}`),
    });
  });

  test.each([
    ["lan", "arp", "use lmserv-office.mjs or lmserv-full.mjs"],
    ["lan", "mesh", "use lmserv-mesh.mjs or lmserv-full.mjs"],
    ["office", "mesh", "use lmserv-mesh.mjs or lmserv-full.mjs"],
    ["mesh", "mdns", "use lmserv-lan.mjs or lmserv-office.mjs or lmserv-full.mjs"],
  ])("%s asked for %s says which one has it", async (variant, type, fix) => {
    const { code, stdout, output } = await lmserv(variant, emptyPlace(), "discover", "--transport", type);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(output.trim().split("\n")).toHaveLength(1);
    expect(output).toContain(
      `transports.${type} needs the package @lmserv/discovery-${type}, which does not come along; lmserv-${variant}.mjs is without it: ${fix}\n`,
    );
  });

  test.each([
    ["lan", "mdns"],
    ["lan", "mesh"],
    ["full", "etcd"],
  ])("%s asked for %s runs no package of a folder on the way", async (variant, type) => {
    const place = emptyPlace();
    const mark = join(place.env.HOME, "mark");
    const packages = join(place.env.HOME, "node_modules", "@lmserv", `discovery-${type}`);
    mkdirSync(packages, { recursive: true });
    writeFileSync(join(packages, "package.json"), '{ "type": "module", "exports": "./index.js" }');
    writeFileSync(
      join(packages, "index.js"),
      `import { writeFileSync } from "node:fs"; writeFileSync(${JSON.stringify(mark)}, "");`,
    );
    const config = join(place.cwd, "lmserv.config.jsonc");
    writeFileSync(config, `{ "version": 1, "transports": { "${type}": {} } }`);
    await lmserv(variant, place, "config", "print");
    await lmserv(variant, place, "config", "print", "--config", config);
    await lmserv(variant, place, "discover", "--timeout", "1ms");
    rmSync(config);
    await lmserv(variant, place, "discover", "--timeout", "1ms", "--transport", type, "--cluster", "none");
    expect(existsSync(mark)).toBe(false);
  });
});

describe("npm run variant", () => {
  const program = join(root, "scripts/variant.mjs");

  test("builds what is asked for where it is asked for, and prints sizes and start times", async () => {
    const out = join(folder, "out");
    const { code, stdout } = await run([process.execPath, program, "lan", "--out", out]);
    expect(code).toBe(0);
    expect(readdirSync(out)).toEqual(["lmserv-lan.mjs"]);
    const [head, node, lan, ...rest] = stdout.trimEnd().split("\n");
    expect(head).toMatch(/^VARIANT +TRANSPORTS +SIZE +START$/);
    expect(node).toMatch(/^node alone +\d+ ms$/);
    expect(lan).toMatch(/lmserv-lan\.mjs +mdns +\d+ KiB +\d+ ms$/);
    expect(rest).toEqual([]);
  });

  test("knows what there is", async () => {
    const { code, output } = await run([process.execPath, program, "wan"]);
    expect(code).toBe(2);
    expect(output).toMatch(
      /^there is no variant "wan"\nUsage: npm run variant -- \[lan\|office\|mesh\|full\]/,
    );
  });
});

/** Marks by which a package is recognized, however it is packed. */
const marks = { ws: "Sec-WebSocket-Key", "arp-a": "arp-a", "multicast-dns": "224.0.0.251" };

describe("a variant's file", () => {
  test.each([
    ["lan", ["multicast-dns"]],
    ["office", ["arp-a", "multicast-dns"]],
    ["mesh", ["ws"]],
    ["full", ["arp-a", "multicast-dns", "ws"]],
  ])("of %s holds of these packages only %j", (variant, expected) => {
    const code = readFileSync(built.get(variant).file, "utf8");
    const held = Object.keys(marks).filter((name) => code.includes(marks[name]));
    expect(held.sort()).toEqual(expected);
    // Names stay as they are: this one is the test kit's.
    expect(code).not.toContain("MemoryNetwork");
  });

  test.each(variantNames)("of %s imports only what Node has, and never what it holds itself", (variant) => {
    const { file, transports } = built.get(variant);
    const code = readFileSync(file, "utf8");
    const specifiers = [...code.matchAll(/\b(?:from|import\()\s*["'`]([\w@./:-]+)["'`]/g)].map(
      ([, name]) => name,
    );
    // Transports that are left out are never asked for; see the messages above.
    const isLeftOut = (name) => /^@lmserv\/discovery-/.test(name) && !transports.includes(name.slice(18));
    expect(specifiers.filter((name) => !isBuiltin(name) && !isLeftOut(name))).toEqual([]);
  });

  test.each(variantNames)("of %s carries the licences of what is in it", (variant) => {
    const code = readFileSync(built.get(variant).file, "utf8");
    expect(code).toContain(readFileSync(join(root, "LICENSE"), "utf8"));
    expect(code).toMatch(/^commander \d+\.\d+\.\d+\n\n\(The MIT License\)$/m);
  });

  test("of full has every transport that is published", () => {
    const surfaceOf = ({ folder }) => join(root, "docs/api", `${basename(folder)}.txt`);
    const isTransport = (pkg) =>
      existsSync(surfaceOf(pkg)) && /^ {2}plugin: const$/m.test(readFileSync(surfaceOf(pkg), "utf8"));
    const published = readPackages().filter(isTransport);
    const types = published.map(({ name }) => name.replace("@lmserv/discovery-", ""));
    expect([...built.get("full").transports].sort()).toEqual(types.sort());
  });
});
