import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type IdentityOptions, openIdentity, stateDirectory } from "../src/index.ts";

let directory: string;
let warnings: string[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "lmserv-identity-"));
  warnings = [];
});

afterEach(() => rm(directory, { recursive: true }));

const open = (changes: Partial<IdentityOptions> = {}) =>
  openIdentity({
    endpoint: "8000",
    wall: () => 1_000_000,
    directory: join(directory, "lmserv"),
    onWarning: (message) => warnings.push(message),
    ...changes,
  });

describe("an identity", () => {
  test("is the same at every start", async () => {
    const [first, second] = [await open(), await open()];
    expect(second.key.id).toBe(first.key.id);
    expect(second.persistent).toBe(true);
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
    expect(files.sort()).toEqual(["node-8000.epoch", "node-8000.key"]);
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

  test("ends with the process where nothing can be written", async () => {
    await writeFile(join(directory, "file"), "");
    const { persistent, epoch } = await open({ directory: join(directory, "file", "lmserv") });
    expect(persistent).toBe(false);
    expect(epoch).toBe(1_000_000);
    expect(warnings).toHaveLength(1);
  });

  test.each(["", "x".repeat(65)])("is refused for the endpoint %j", async (endpoint) => {
    await expect(open({ endpoint })).rejects.toThrow(RangeError);
  });
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
