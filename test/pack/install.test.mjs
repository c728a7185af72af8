import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { run } from "../../scripts/command.mjs";
import { readManifest } from "../../scripts/workspace.mjs";
import { oneFile, tarballs } from "./artifacts.mjs";
import { installCommand } from "./consumer.mjs";

// Runs on each version of Node that is supported.

const prefix = mkdtempSync(join(tmpdir(), "lmserv-prefix-"));
const { version } = readManifest("apps/cli");
let installed;

beforeAll(async () => {
  installed = await installCommand(prefix, tarballs.get("@lmserv/cli"));
});

afterAll(() => rmSync(prefix, { recursive: true }));

const lone = (_, ...args) =>
  run([process.execPath, oneFile, ...args], { env: { PATH: process.env.PATH, HOME: prefix }, cwd: prefix });

describe.each([
  ["the tarball of the command, installed by npm in an empty prefix,", (...args) => installed(...args)],
  ["the command as one file", lone],
])("%s", (_, lmserv) => {
  test("says its version", async () => {
    expect(await lmserv("lmserv", "--version")).toMatchObject({ code: 0, output: `${version}\n` });
  });

  test("looks for nodes over mDNS and lists them", async () => {
    const { code, stdout } = await lmserv(
      "lmserv",
      "discover",
      "--interface",
      "lo",
      "--timeout",
      "1ms",
      "--json",
    );
    // Others on this machine may announce theirs.
    expect([0, 1]).toContain(code);
    expect(JSON.parse(stdout)).toMatchObject({ nodes: expect.any(Array) });
  });
});
