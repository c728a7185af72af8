import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadArpA } from "../../src/neighbors/arp-a.ts";

const load = createRequire(import.meta.url);

/** Output of a German Windows, written down and not run there. */
const german = `
Schnittstelle: 192.0.2.10 --- 0x5
  Internetadresse       Physische Adresse     Typ
  192.0.2.1             50-67-f0-8c-7a-3f     dynamisch
  192.0.2.2             02-00-00-00-00-02     statisch
  192.0.2.255           ff-ff-ff-ff-ff-ff     statisch
  224.0.0.22            01-00-5e-00-00-16     statisch
  255.255.255.255       ff-ff-ff-ff-ff-ff     statisch
`;

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lmserv-arp-"));
});

afterEach(() => rm(folder, { recursive: true }));

describe("arp-a", () => {
  it.runIf(process.platform === "linux")(
    "is loaded without having been built, and reads the kernel's table",
    async () => {
      const read = loadArpA({ platform: "linux", env: {}, load: () => load("arp-a") });
      expect(await read?.()).toBeInstanceOf(Array);
    },
  );

  it.each([
    ["is not installed", () => load("no-such-package")],
    ["is not built, as on macOS", () => load("./build/Release/macos.node")],
    ["knows nothing of the system", () => ({})],
    ["is something else", () => null],
  ])("is left out where it %s", (_, loadIt) => {
    expect(loadArpA({ platform: "darwin", env: {}, load: loadIt })).toBeNull();
  });

  it("is left out on a Windows without arp.exe, where it would end the process", () => {
    const env = { SystemRoot: folder };
    expect(loadArpA({ platform: "win32", env, load: () => ({ table: () => {} }) })).toBeNull();
  });

  it("has its rows checked, whatever it calls the link", async () => {
    const rows = [
      { ip: "192.0.2.1", mac: "0:18:1:8f:23:ed", ifname: "en0" },
      { ip: "192.0.2.2", mac: "02:00:00:00:00:02", iface: "eth0" },
      { ip: "192.0.2.3", mac: "00:00:00:00:00:00", iface: "eth0" },
      { ip: 5, mac: {} },
    ];
    const table = (callback: (error: unknown, row: unknown) => void): void => {
      for (const row of [...rows, null]) callback(null, row);
    };
    const read = loadArpA({ platform: "darwin", env: {}, load: () => ({ table }) });
    expect(await read?.()).toEqual([
      { address: "192.0.2.1", mac: "00:18:01:8f:23:ed", link: "en0" },
      { address: "192.0.2.2", mac: "02:00:00:00:00:02", link: "eth0" },
    ]);
  });

  it("rejects with what it says", async () => {
    const table = (callback: (error: unknown, row: unknown) => void): void => callback(new Error("no"), null);
    const read = loadArpA({ platform: "linux", env: {}, load: () => ({ table }) });
    await expect(read?.()).rejects.toThrow("no");
  });

  it.runIf(process.platform === "linux")(
    "reads a German Windows, which a process on Linux plays",
    async () => {
      await mkdir(join(folder, "System32"));
      await writeFile(join(folder, "System32", "ARP.EXE"), "");
      await writeFile(join(folder, "arp"), `#!/bin/sh\ncat <<'END'\n${german}END\n`);
      await chmod(join(folder, "arp"), 0o755);
      const program = `
      Object.defineProperty(process, "platform", { value: "win32" });
      const { table } = require(${JSON.stringify(load.resolve("arp-a"))});
      table((error, row) => console.log(JSON.stringify({ error, row })));`;
      const env = { ...process.env, PATH: `${folder}:${process.env.PATH}` };
      const { stdout } = await promisify(execFile)(process.execPath, ["-e", program], { env });
      const told = stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
      const table = (callback: (error: unknown, row: unknown) => void): void => {
        for (const { error, row } of told) callback(error, row);
      };
      const read = loadArpA({ platform: "win32", env: { SystemRoot: folder }, load: () => ({ table }) });
      expect(await read?.()).toEqual([
        { address: "192.0.2.1", mac: "50:67:f0:8c:7a:3f", link: null },
        { address: "192.0.2.2", mac: "02:00:00:00:00:02", link: null },
      ]);
    },
  );
});
