import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { run } from "../command.mjs";

/** Never answers, and ends what asks it. */
let server;
let url;
let ending;
let folder;

beforeEach(async () => {
  ending = new AbortController();
  server = createServer(() => ending.abort());
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${server.address().port}/a.tgz`;
  folder = mkdtempSync(join(tmpdir(), "lmserv-command-"));
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

describe("when its signal aborts", () => {
  test("a command is killed with its children, and what it printed is there", async () => {
    // Each child keeps the pipe open: the command has ended only when both have.
    const child = `fetch("${url}")`;
    const script = `echo begun; "${process.execPath}" -e '${child}' & wait`;
    const { code, output } = await run(["sh", "-c", script], { cwd: folder, signal: ending.signal });
    expect({ code, output }).toEqual({ code: null, output: "begun\n" });
  });
});

test("what nobody waits for any more ends, and says why", async () => {
  const module = new URL("../command.mjs", import.meta.url).href;
  const program = `
    import { endIfAbandoned } from "${module}";
    process.stdin.on("end", endIfAbandoned).resume();
    console.log(process.ppid);`;
  const script = `"${process.execPath}" --input-type=module -e '${program}' <&3 & read line`;
  const shell = spawn("sh", ["-c", script], { stdio: ["pipe", "pipe", "pipe", "pipe"] });
  let stderr = "";
  shell.stderr.setEncoding("utf8").on("data", (text) => {
    stderr += text;
  });
  // The shell goes first, then what it started is asked.
  shell.once("exit", () => shell.stdio[3].end());
  shell.stdout.once("data", () => shell.stdin.end());
  await new Promise((resolve) => shell.once("close", resolve));
  expect(stderr).toBe(`ended without a result: process ${shell.pid}, which started this one, is gone\n`);
});
