import { chmod, chown, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { inspectFile } from "../src/files/file-safety.ts";
import { resolveConfig } from "../src/index.ts";
import { faultOf, made, plugins } from "./harness.ts";

// As with ssh and git, only its owner may use a file of keys, or write to a folder on its path.

const me = process.geteuid?.() ?? 0;
const isRoot = me === 0;
/** A user other than root and the one who runs the tests. */
const other = 4_242;

let folder: string;
let key: string;

beforeEach(async () => {
  made.length = 0;
  folder = join(await realpath(await mkdtemp(join(tmpdir(), "lmserv-safety-"))), "keys");
  key = join(folder, "mesh.key");
  await mkdir(folder, { mode: 0o700 });
  await writeFile(key, "secret", { mode: 0o600 });
});

afterEach(() => rm(join(folder, ".."), { recursive: true }));

async function judge(user = me): Promise<{ refused: string | null; warned: string | null }> {
  const { refusal, warning } = await inspectFile(key, user);
  const text = (fault: typeof refusal): string | null =>
    fault && `${fault.reason}; ${fault.fix}`.replaceAll(folder, "FOLDER");
  return { refused: text(refusal), warned: text(warning) };
}

const good = { refused: null, warned: null };

describe.skipIf(process.platform === "win32")("a file of keys", () => {
  test("that is its owner's alone is good", async () => {
    expect(await judge()).toEqual(good);
  });

  test.each([
    [0o640, "0640"],
    [0o644, "0644"],
    [0o444, "0444"],
  ])("that others can read is a warning: mode %o", async (mode, shown) => {
    await chmod(key, mode);
    expect(await judge()).toEqual({
      refused: null,
      warned: `which others can read (mode ${shown}); unless it has to be so, as in a container: chmod 600 FOLDER/mesh.key`,
    });
  });

  test.each([0o620, 0o602, 0o666])("that others can write is refused: mode %o", async (mode) => {
    await chmod(key, mode);
    const shown = mode.toString(8).padStart(4, "0");
    expect((await judge()).refused).toBe(
      `which others can write (mode ${shown}); take that from them: chmod go-w FOLDER/mesh.key`,
    );
  });

  test.each([0o720, 0o702, 0o777])("is refused in a folder that others can write: mode %o", async (mode) => {
    await chmod(folder, mode);
    const shown = mode.toString(8).padStart(4, "0");
    expect((await judge()).refused).toBe(
      `which lies in FOLDER, which others can write (mode ${shown}); take that from them: chmod go-w FOLDER`,
    );
  });

  test("is good in a folder where others cannot replace it", async () => {
    await chmod(folder, 0o1777);
    expect(await judge()).toEqual(good);
  });

  test("is judged where a link leads, and on the way to it", async () => {
    const target = key;
    const shared = join(folder, "shared");
    await mkdir(shared);
    await chmod(shared, 0o777);
    key = join(shared, "link.key");
    await symlink(target, key);
    expect((await judge()).refused).toContain("which lies in FOLDER/shared, which others can write");
    await chmod(shared, 0o755);
    await chmod(target, 0o666);
    expect((await judge()).refused).toContain("which others can write (mode 0666)");
  });

  test.runIf(isRoot)("of another user is refused, except by root", async () => {
    await chown(key, other, other);
    await chown(folder, me, me);
    expect((await judge(1_001)).refused).toBe(
      `which belongs to user ${other}; make it yours: chown 1001 FOLDER/mesh.key`,
    );
    expect(await judge(0)).toEqual(good);
    expect(await judge(other)).toEqual(good);
  });

  test.runIf(isRoot)("in a folder of another user is refused, except by root", async () => {
    await chown(folder, other, other);
    expect((await judge(1_001)).refused).toContain(`which lies in FOLDER, which belongs to user ${other}`);
    expect(await judge(0)).toEqual(good);
  });

  test.runIf(isRoot)("of root is for everybody who can read it", async () => {
    await chmod(key, 0o444);
    expect((await judge(1_001)).refused).toBeNull();
  });

  test("is judged nowhere that has no owners, and a pipe is no file", async () => {
    await chmod(key, 0o666);
    expect(await inspectFile(key, null)).toEqual({ refusal: null, warning: null });
    expect(await inspectFile("/dev/null")).toEqual({ refusal: null, warning: null });
    expect(await inspectFile(join(folder, "not-there"))).toEqual({ refusal: null, warning: null });
  });
});

describe.skipIf(process.platform === "win32")("a configuration", () => {
  const resolve = () => {
    const options = [
      { flag: "--key-file", key: "keyFile", value: key },
      { flag: "--seed", key: "seeds", value: ["ws://10.0.0.1:7946"] },
    ];
    return resolveConfig({
      cwd: folder,
      env: { HOME: folder },
      plugins,
      flags: { transports: ["mesh"], options },
    });
  };

  test("refuses a key that others can write, and has not read it", async () => {
    await chmod(key, 0o666);
    const { message } = await faultOf(resolve());
    expect(message).toBe(
      `--key-file: transports.mesh.keyFile names the file ${key}, which others can write (mode 0666); take that from them: chmod go-w ${key}`,
    );
    expect(made).toEqual([]);
  });

  test("warns of a key that others can read", async () => {
    await chmod(key, 0o444);
    expect((await resolve()).warnings).toEqual([
      expect.stringContaining("which others can read (mode 0444)"),
    ]);
    expect(made).toMatchObject([{ options: { key: "secret" } }]);
  });

  test("does not warn of a certificate, which is for everybody", async () => {
    await writeFile(key, "-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----\n");
    await chmod(key, 0o644);
    expect((await resolve()).warnings).toEqual([]);
  });
});
