import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ownPlugins } from "../../src/config/plugins.ts";
import { Machine } from "../harness.ts";

const file = "/home/me/lmserv.config.jsonc";

let machine: Machine;
let folder: string;

beforeEach(async () => {
  machine = new Machine();
  // A file that was only found in the working folder may name less.
  machine.env.LMSERV_CONFIG = file;
  for (const type of ["arp", "mesh"]) {
    const plugin = ownPlugins.get(type);
    if (plugin) machine.plugins.set(type, plugin);
  }
  folder = await mkdtemp(join(tmpdir(), "lmserv-cli-"));
  vi.stubEnv("XDG_STATE_HOME", folder);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

/** Expects one message with the place, the fault and the remedy; nothing else, and no packet. */
async function expectUsageError(argv: readonly string[], message: string): Promise<void> {
  const code = await machine.start(...argv).ended;
  expect({ code, stdout: machine.stdout.text }).toEqual({ code: 2, stdout: "" });
  expect(machine.stderr.lines).toEqual([`lmserv: error: ${message}`]);
  expect(machine.network.sent).toBe(0);
  expect(machine.connected).toEqual([]);
}

const commands = [["discover"], ["discover", "--watch"], ["announce", "--port", "8000"], ["doctor"]];

/** Content of a file from its second line on, with the expected message. */
const faults = [
  [
    "an unknown key",
    ['  "transprots": { "mdns": {} }'],
    '2:3: transprots is unknown; did you mean "transports"?',
  ],
  [
    "an unknown option",
    ['  "transports": {', '    "arp": { "seep": true }', "  }"],
    '3:14: transports.arp.seep is unknown; did you mean "sweep"?',
  ],
  [
    "a wrong type",
    ['  "transports": {', '    "arp": { "sweep": "yes" }', "  }"],
    '3:14: transports.arp.sweep must be true or false, and is "yes"; change it there',
  ],
  [
    "a missing package",
    ['  "transports": {', '    "bus": {}', "  }"],
    "3:5: transports.bus needs the package @lmserv/discovery-bus, which is not installed for /home/me; install it: npm install @lmserv/discovery-bus",
  ],
  [
    // A folder is unreadable as a file, even for root.
    "an unreadable key file",
    ['  "transports": {', '    "mesh": { "keyFile": "/proc" }', "  }"],
    "3:15: transports.mesh.keyFile names the file /proc, which cannot be read: EISDIR: illegal operation on a directory, read; name one that this user may read",
  ],
  [
    "two transports of one name",
    ['  "transports": {', '    "mdns": {},', '    "mdns": {}', "  }"],
    '4:5: transports.mdns stands here for the second time, and first in line 3; give the second transport a name of its own, and its kind as "type"',
  ],
  [
    "an empty map of transports",
    ['  "transports": {}'],
    '2:3: transports is empty; list one, such as "mdns": {}, or leave the key out for that',
  ],
  [
    "a trailing comma",
    ['  "transports": {', '    "mdns": {},', "  }"],
    '3:15: a comma stands before "}"; delete it: JSON has no trailing commas',
  ],
] as const;

describe.each(faults)("%s", (_, lines, message) => {
  it.each(commands)("is one message, and %s starts nothing", async (...argv) => {
    machine.files.set(file, ['{ "version": 1,', ...lines, "}"].join("\n"));
    // The doctor examines every transport unless a configuration is named.
    await expectUsageError(argv[0] === "doctor" ? ["doctor", "--config", file] : argv, `${file}:${message}`);
  });
});

describe("a port that is in use", () => {
  let holder: Server;
  let port: number;

  beforeEach(async () => {
    holder = createServer().listen(0, "127.0.0.1");
    await once(holder, "listening");
    const address = holder.address();
    port = typeof address === "object" && address ? address.port : 0;
  });

  afterEach(() => holder.close());

  it.each([
    ["alone", {}],
    ["beside a transport that could announce", { mdns: {} }],
  ])("is one message, and nothing is announced, %s", async (_, others) => {
    const transports = { mesh: { listen: [`127.0.0.1:${port}`] }, ...others };
    machine.files.set(file, JSON.stringify({ version: 1, transports }, null, 2));
    await expectUsageError(
      ["announce", "--port", "8000", "--no-check"],
      `${file}:5:7: transports.mesh.listen cannot be: listen EADDRINUSE: address already in use 127.0.0.1:${port}; end the program that has it, or listen on another port: --listen 0.0.0.0:7947`,
    );
  });

  it("does not matter to who only looks", async () => {
    const transports = { mesh: { listen: [`127.0.0.1:${port}`] } };
    machine.files.set(file, JSON.stringify({ version: 1, transports }));
    expect(await machine.start("config", "print").ended).toBe(0);
  });
});
