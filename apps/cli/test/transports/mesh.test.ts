import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ownPlugins } from "../../src/config/plugins.ts";
import { systemIo } from "../../src/io/io.ts";
import { Machine } from "../harness.ts";

let machine: Machine;
let directory: string;

beforeEach(async () => {
  machine = new Machine();
  for (const [name, plugin] of ownPlugins) machine.plugins.set(name, plugin);
  directory = await mkdtemp(join(tmpdir(), "lmserv-cli-"));
  vi.stubEnv("XDG_STATE_HOME", directory);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(directory, { recursive: true });
});

describe("lmserv mesh keygen", () => {
  it("prints a key that nobody had before", async () => {
    expect(await machine.start("mesh", "keygen").ended).toBe(0);
    expect(await machine.start("mesh", "keygen").ended).toBe(0);
    const [first = "", second] = machine.stdout.lines;
    expect(first).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(second).not.toBe(first);
    expect(machine.stderr.text).toBe("");
  });

  it("makes the file itself, once", async () => {
    expect(await machine.start("mesh", "keygen", "mesh.key").ended).toBe(0);
    expect(machine.files.get("mesh.key")).toMatch(/^[A-Za-z0-9_-]{43}\n$/);
    const kept = machine.files.get("mesh.key");
    expect(await machine.start("mesh", "keygen", "mesh.key").ended).toBe(2);
    expect(machine.files.get("mesh.key")).toBe(kept);
    expect(machine.stdout.text).toBe("");
    expect(machine.stderr.lines).toEqual([
      "lmserv: mesh.key holds a new key: copy it to every member, readable to its owner only",
      "lmserv: error: cannot make the file mesh.key: it exists already, and its users would lose the other members: name another file",
    ]);
  });

  it("warns when it prints into a file that others can read", async () => {
    machine.isStdoutShared = true;
    expect(await machine.start("mesh", "keygen").ended).toBe(0);
    expect(machine.stderr.text).toMatch(/warning: others can read the file that this key went to: chmod 600/);
  });

  it.skipIf(process.platform === "win32")("makes a file that only its owner can read", async () => {
    const { createSecret } = systemIo();
    const path = join(directory, "mesh.key");
    await createSecret(path, "secret");
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readFile(path, "utf8")).toBe("secret");
    await expect(createSecret(path, "other")).rejects.toMatchObject({ code: "EEXIST" });
  });
});

describe("a mistake about the mesh", () => {
  it.each([
    [["discover", "--seed", "ws://10.0.0.1:7946"], /option '--seed' is for the transport mesh/],
    [["announce", "--port", "1", "--cluster", "lab"], /option '--cluster' is for the transport mesh/],
    [["announce", "--port", "1", "--listen", "127.0.0.1:1"], /option '--listen' is for the transport mesh/],
    [["discover", "--key-file", "x"], /option '--key-file' is for the transport mesh/],
    [
      ["discover", "--transport", "mesh", "--seed", "10.0.0.1"],
      /--seed: transports\.mesh .*"10\.0\.0\.1".*ws:\/\/host:port/,
    ],
    [["discover", "--transport", "mesh", "--seed", "ws://a:70000"], /is not like ws:\/\/host:port/],
    [["discover", "--transport", "mesh", "--seed", "ws://a:1", "--seed", "ws://a:1"], /is given twice/],
    [["discover", "--tls-only"], /option '--tls-only' is for the transport mesh/],
    [
      ["discover", "--transport", "mesh", "--tls-only", "--seed", "ws://10.0.0.1:7946"],
      /seeds holds "ws:\/\/10\.0\.0\.1:7946", which tlsOnly forbids: write wss:\/\/10\.0\.0\.1:7946 /,
    ],
    [
      ["announce", "--port", "1", "--transport", "mesh", "--tls-only"],
      /127\.0\.0\.1:7946 has no TLS here, and tlsOnly allows nothing else: listen with a certificate/,
    ],
    [["discover", "--transport", "mesh", "--cluster", "my lab"], /1 to 64 visible ASCII/],
    [
      ["discover", "--transport", "mesh", "--key-file", "/nowhere/mesh.key"],
      /--key-file: transports\.mesh\.keyFile names the file .*cannot be read: ENOENT/,
    ],
    [["discover", "--transport", "mesh", "--listen", "127.0.0.1:1"], /unknown option '--listen'/],
    [
      ["announce", "--port", "1", "--transport", "mesh", "--listen", "gpu-box:1"],
      /not an address and a port/,
    ],
    [
      ["announce", "--port", "1", "--transport", "mesh", "--listen", "[::1]:70000"],
      /--listen: transports\.mesh cannot be: listen holds "\[::1\]:70000"/,
    ],
  ])("%j", async (argv, message) => {
    const code = await machine.start(...argv).ended;
    expect({ code, stdout: machine.stdout.text }).toEqual({ code: 2, stdout: "" });
    expect(machine.stderr.text).toMatch(message);
  });

  it.each([
    ["little endian", (text: string) => Buffer.from(`\uFEFF${text}`, "utf16le")],
    ["big endian", (text: string) => Buffer.from(`\uFEFF${text}`, "utf16le").swap16()],
  ])("in the encoding of the key file: %s", async (_, encode) => {
    expect(await machine.start("mesh", "keygen").ended).toBe(0);
    const file = join(directory, "mesh.key");
    await writeFile(file, encode(machine.stdout.text.replace("\n", "\r\n")));
    expect(await machine.start("discover", "--transport", "mesh", "--key-file", file).ended).toBe(2);
    expect(machine.stderr.lines).toEqual([
      `lmserv: error: --key-file: transports.mesh.keyFile names the file ${file}, which is UTF-16, as Windows PowerShell writes with >, and not UTF-8; save it as UTF-8, in PowerShell with | Set-Content -Encoding ascii`,
    ]);
  });

  it("in the key file", async () => {
    const file = join(directory, "mesh.key");
    await writeFile(file, "# a comment\nc2hvcnQ\n");
    expect(await machine.start("discover", "--transport", "mesh", "--key-file", file).ended).toBe(2);
    expect(machine.stderr.text).toMatch(/line 2 of the key file is a key of 5 bytes/);
    expect(machine.stderr.text).not.toContain("c2hvcnQ");
  });
});
