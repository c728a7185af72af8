import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readListeners } from "../src/listener.ts";
import { readSocketsBelow } from "../src/process-sockets.ts";

describe("a table of processes", () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "lmserv-proc-"));
  });

  afterEach(() => rm(folder, { recursive: true }));

  async function add(
    pid: number,
    parent: number,
    sockets: readonly string[],
    name = "server",
  ): Promise<void> {
    await mkdir(join(folder, `${pid}`, "fd"), { recursive: true });
    await writeFile(join(folder, `${pid}`, "stat"), `${pid} (${name}) S ${parent} 1 1 0 -1`);
    for (const [fd, inode] of sockets.entries()) {
      await symlink(`socket:[${inode}]`, join(folder, `${pid}`, "fd", `${fd}`));
    }
    await symlink("/dev/null", join(folder, `${pid}`, "fd", "99"));
  }

  const below = async (pid: number): Promise<readonly string[]> => [
    ...((await readSocketsBelow(pid, folder)) ?? []),
  ];

  test("shows the sockets of a process and of all below it, in whatever order they are listed", async () => {
    await add(50, 60, ["3"]);
    await add(60, 70, ["2"]);
    await add(70, 1, ["1", "10"]);
    await add(80, 1, ["4"]);
    expect((await below(70)).toSorted()).toEqual(["1", "10", "2", "3"]);
    expect(await below(50)).toEqual(["3"]);
  });

  test("takes nothing that a name holds for a parent", async () => {
    await add(60, 70, ["2"], "a) S 80 (b");
    expect(await below(70)).toEqual(["2"]);
    expect(await below(80)).toEqual([]);
  });

  test("ends where processes are each other's parents, since a number was given anew", async () => {
    await add(60, 70, ["2"]);
    await add(70, 60, ["1"]);
    expect((await below(70)).toSorted()).toEqual(["1", "2"]);
  });

  test("leaves out what ends while it is read", async () => {
    await mkdir(join(folder, "60"));
    await add(70, 1, ["1"]);
    expect(await below(70)).toEqual(["1"]);
  });

  test("is null where there is none", async () => {
    expect(await readSocketsBelow(1, join(folder, "none"))).toBeNull();
  });
});

describe.skipIf(process.platform !== "linux")("this machine", () => {
  let child: ChildProcess;

  afterEach(() => {
    child.stdin?.end();
    child.kill("SIGKILL");
  });

  test("shows a server two processes below, and none of this process", async () => {
    const server =
      'require("node:net").createServer().listen(0, "127.0.0.1", function () { console.log(this.address().port); process.stdin.on("end", process.exit).resume(); })';
    const script = `"${process.execPath}" -e '${server}'; true`;
    child = spawn("sh", ["-c", script], { stdio: ["pipe", "pipe", "inherit"] });
    const { pid, stdout } = child;
    if (!stdout || pid === undefined) throw new Error("nothing was started");
    const [line] = await once(createInterface({ input: stdout }), "line");
    const listener = (await readListeners())?.find(({ port }) => port === Number(line));
    const sockets = await readSocketsBelow(pid);
    expect(listener && sockets?.has(listener.inode)).toBe(true);
    const own = spawn("sleep", ["60"]);
    expect(await readSocketsBelow(own.pid ?? 0)).not.toContain(listener?.inode);
    own.kill("SIGKILL");
  });
});
