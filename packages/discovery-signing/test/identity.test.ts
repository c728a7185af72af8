import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MachineMark } from "@lmserv/discovery-network";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type IdentityOptions, openIdentity, stateDirectory } from "../src/index.ts";

let directory: string;
let warnings: string[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "lmserv-identity-"));
  warnings = [];
});

afterEach(() => rm(directory, { recursive: true }));

/** Machine whose cards and system have these hashes, padded. */
function machineWith(cards: string, installation: string | null = "1"): MachineMark {
  const macs = cards.split(" ").map((card) => card.padEnd(16, "0"));
  return { stack: null, macs, installation: installation?.padEnd(16, "0") ?? null };
}

const open = (changes: Partial<IdentityOptions> = {}) =>
  openIdentity({
    endpoint: "8000",
    wall: () => 1_000_000,
    directory: join(directory, "lmserv"),
    machine: machineWith("aa"),
    onWarning: (message) => warnings.push(message),
    ...changes,
  });

describe("an identity", () => {
  test("is the same at every start", async () => {
    const [first, second] = [await open(), await open()];
    expect(second.key.id).toBe(first.key.id);
    expect(second.keyFile).toBe(join(directory, "lmserv", "node-8000.key"));
    expect(warnings).toEqual([]);
  });

  test("differs from endpoint to endpoint", async () => {
    const [first, second] = [await open(), await open({ endpoint: "../8001" })];
    expect(second.key.id).not.toBe(first.key.id);
    expect(await readdir(directory)).toEqual(["lmserv"]);
  });

  test("is readable by its owner only", async () => {
    await open();
    const { mode } = await stat(join(directory, "lmserv", "node-8000.key"));
    expect(mode & 0o777).toBe(0o600);
    expect((await stat(join(directory, "lmserv"))).mode & 0o777).toBe(0o700);
  });

  test("is hidden again from others who could read it", async () => {
    const { key } = await open();
    const path = join(directory, "lmserv", "node-8000.key");
    await chmod(path, 0o644);
    expect((await open()).key.id).toBe(key.id);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(warnings).toEqual([`${path} could be read by others; from now on only by its owner`]);
  });

  test("is one for many processes that make it at once", async () => {
    const identities = await Promise.all(Array.from({ length: 16 }, () => open()));
    expect(new Set(identities.map(({ key }) => key.id)).size).toBe(1);
    const files = await readdir(join(directory, "lmserv"));
    expect(files.sort()).toEqual(["node-8000.epoch", "node-8000.key", "node-8000.machine"]);
  });

  test.each(["", "rubbish", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])(
    "is made anew when its file holds %j, which is kept",
    async (rubbish) => {
      const { key } = await open();
      const path = join(directory, "lmserv", "node-8000.key");
      await writeFile(path, rubbish);
      const renewed = await open();
      expect(renewed.key.id).not.toBe(key.id);
      expect(await readFile(`${path}.corrupt`, "utf8")).toBe(rubbish);
      expect(warnings.join()).toContain("holds no key");
      expect((await open()).key.id).toBe(renewed.key.id);
    },
  );

  test("outlives an editor that saves its file with a byte order mark, and names UTF-16", async () => {
    const { key } = await open();
    const path = join(directory, "lmserv", "node-8000.key");
    const pem = await readFile(path, "utf8");
    await writeFile(path, `\uFEFF${pem}`, { mode: 0o600 });
    expect((await open()).key.id).toBe(key.id);
    await writeFile(path, Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(pem, "utf16le")]));
    expect((await open()).key.id).not.toBe(key.id);
    expect(warnings.join()).toContain(`${path} holds no key (it is UTF-16, as Windows PowerShell writes`);
  });

  test("ends with the process where nothing can be written", async () => {
    await writeFile(join(directory, "file"), "");
    const { keyFile, epoch } = await open({ directory: join(directory, "file", "lmserv") });
    expect(keyFile).toBeNull();
    expect(epoch).toBe(1_000_000);
    expect(warnings).toHaveLength(1);
  });

  test.each(["", "x".repeat(65)])("is refused for the endpoint %j", async (endpoint) => {
    await expect(open({ endpoint })).rejects.toThrow(RangeError);
  });
});

describe("a state folder", () => {
  const [desk, rack] = [machineWith("aa"), machineWith("bb")];
  const ids = async (...machines: readonly MachineMark[]): Promise<readonly string[]> => {
    const found: string[] = [];
    for (const machine of machines) found.push((await open({ machine })).key.id);
    return found;
  };

  test("that was copied has an identity for each machine, the same at every start of either", async () => {
    const [first, second, ...later] = await ids(desk, rack, desk, rack, rack, desk);
    expect(second).not.toBe(first);
    expect(later).toEqual([first, second, second, first]);
    const path = join(directory, "lmserv", "node-8000");
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(`${path}.key belongs to another machine`);
    expect(warnings[0]).toContain(`kept in ${path}.bb00000000000000.key`);
    expect(warnings[0]).toContain(`delete ${path}.machine`);
  });

  test("that two machines share has epochs of each", async () => {
    const [a, b] = [await open({ machine: desk }), await open({ machine: rack })];
    await a.advance(5_000_000);
    expect((await open({ machine: rack })).epoch).toBe(b.epoch + 1);
    expect((await open({ machine: desk })).epoch).toBe(5_000_001);
  });

  test("has one identity for each of many machines that come at once", async () => {
    const machines = ["aa", "bb", "cc", "dd"].map((card) => machineWith(card));
    const opened = await Promise.all([...machines, ...machines].map((machine) => open({ machine })));
    const found = opened.map(({ key }) => key.id);
    expect(new Set(found).size).toBe(4);
    expect(found.slice(4)).toEqual(found.slice(0, 4));
    expect(await ids(...machines)).toEqual(found.slice(0, 4));
  });

  test("knows its machine by a card that stayed, also when the others come and go", async () => {
    const [first, ...later] = await ids(
      machineWith("aa"),
      machineWith("aa bb"),
      machineWith("bb", "2"),
      machineWith("bb cc", "2"),
    );
    expect(new Set(later)).toEqual(new Set([first]));
    expect(warnings).toEqual([]);
  });

  test("stays each machine's when a card moves from one to the other", async () => {
    const [a, b] = await ids(machineWith("aa ee"), rack);
    expect(await ids(machineWith("bb ee"), machineWith("aa"))).toEqual([b, a]);
  });

  test("knows a machine without cards by its system, and one without either not at all", async () => {
    const bare = (installation: string | null): MachineMark => ({
      ...machineWith("aa", installation),
      macs: [],
    });
    const [first, second, third, ...later] = await ids(bare("1"), bare("2"), bare(null), desk, bare("1"));
    expect(second).not.toBe(first);
    expect([third, ...later]).toEqual([first, first, first]);
  });

  test("gives the old identity back when its mark is deleted, as the warning says", async () => {
    const [first, second] = await ids(desk, rack);
    await rm(join(directory, "lmserv", "node-8000.machine"));
    const [moved, again, third] = await ids(rack, rack, desk);
    expect([moved, again]).toEqual([first, first]);
    expect([first, second]).not.toContain(third);
  });

  test.each(["", "rubbish", '{"macs":["zz"]}', "x".repeat(5_000)])(
    "takes a mark that holds %j for none",
    async (rubbish) => {
      const [first] = await ids(desk);
      await writeFile(join(directory, "lmserv", "node-8000.machine"), rubbish);
      expect(await ids(rack, rack)).toEqual([first, first]);
    },
  );
});

describe("an epoch", () => {
  test("grows at each start, also when the wall clock was set back", async () => {
    expect((await open()).epoch).toBe(1_000_000);
    expect((await open()).epoch).toBe(1_000_001);
    expect((await open({ wall: () => 5 })).epoch).toBe(1_000_002);
    expect((await open({ wall: () => 2_000_000.7 })).epoch).toBe(2_000_000);
  });

  test("is above the one that others made necessary", async () => {
    await (await open()).advance(3_000_000);
    expect((await open()).epoch).toBe(3_000_001);
  });

  test.each(["", "-5", "rubbish", "9".repeat(40)])("starts anew from a file with %j", async (rubbish) => {
    await open();
    await writeFile(join(directory, "lmserv", "node-8000.epoch"), rubbish);
    expect((await open()).epoch).toBe(1_000_000);
  });
});

describe("the state directory", () => {
  test("follows XDG_STATE_HOME when that is absolute", () => {
    expect(stateDirectory({ XDG_STATE_HOME: "/var/state" })).toBe("/var/state/lmserv");
    expect(stateDirectory({ XDG_STATE_HOME: "relative" })).toMatch(/\.local\/state\/lmserv$/);
    expect(stateDirectory({})).toMatch(/\.local\/state\/lmserv$/);
  });
});
