import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { isGone, program, type Run, serverUrls, start } from "./demo-process.ts";

// The built demo, on the loopback interface of this machine, which others may use as well.

const node = process.execPath;
const names = ["gpu-box-01", "gpu-box-02", "mac-studio"];

describe("on a pipe", () => {
  test("shows the servers, asks one of them, and leaves nothing behind", async () => {
    await using demo = start(node, program);
    expect(await demo.ended).toBe(0);
    const output = demo.output();
    for (const name of names) expect(output).toMatch(new RegExp(`^${name} +http://127\\.0\\.0\\.1:`, "m"));
    expect(output).toMatch(/^POST http:\S+ "Hello!"\n\S+: Hello! I am parrot-\d+b on \S+, .*\n$/m);
    await Promise.all(serverUrls(output).map(isGone));
  });

  test.each(["SIGINT", "SIGTERM"] as const)("ends its servers at %s", async (signal) => {
    await using demo = start(node, program, "--once");
    await demo.prints("POST");
    demo.process.kill(signal);
    expect(await demo.ended).toBe(130);
    await Promise.all(serverUrls(demo.output()).map(isGone));
  });

  test("is not survived by its servers when it is killed", async () => {
    await using demo = start(node, program, "--once");
    await demo.prints("POST");
    demo.process.kill("SIGKILL");
    expect(await demo.ended).toBe("SIGKILL");
    const urls = serverUrls(demo.output());
    expect(urls.length).toBeGreaterThanOrEqual(names.length);
    await Promise.all(urls.map(isGone));
  });

  test.each([
    [["--often"], "--often"],
    [["--interface", "nope0"], "--interface nope0 is none"],
  ])("refuses %j", async (args, message) => {
    await using demo = start(node, program, ...args);
    expect(await demo.ended).toBe(2);
    expect(demo.output()).toContain(message);
  });
});

/** That of util-linux runs a command on a terminal of its own; that of BSD takes other options. */
const script = "/usr/bin/script";
const hasScript = process.platform === "linux" && existsSync(script);
const title = `on a terminal${hasScript ? "" : ` [skipped: there is no ${script} of util-linux]`}`;

describe.skipIf(!hasScript)(title, () => {
  const controlC = "\u0003";
  const clear = "\u001b[J";
  const startOnTerminal = (): Run => start(script, "-qefc", `exec "${node}" "${program}"`, "/dev/null");

  test("Ctrl-C lets the servers say goodbye, and the table shows it", async () => {
    await using demo = startOnTerminal();
    await demo.prints("Ctrl-C ends the servers.");
    const { length } = demo.output();
    demo.process.stdin?.write(controlC);
    expect(await demo.ended).toBe(0);
    const frames = demo.output().slice(length).split(clear);
    const leaving = frames.find((frame) => frame.includes("The servers say goodbye ..."));
    expect(serverUrls(leaving ?? "")).toHaveLength(names.length);
    expect(serverUrls(frames.at(-1) ?? "")).toEqual([]);
    expect(frames.at(-1)).toContain("All servers said goodbye.");
    await Promise.all(serverUrls(demo.output()).map(isGone));
  });

  test("a second Ctrl-C ends it at once", async () => {
    await using demo = startOnTerminal();
    await demo.prints("Ctrl-C ends the servers.");
    demo.process.stdin?.write(controlC);
    await demo.prints("The servers say goodbye ...");
    const again = setInterval(() => demo.process.stdin?.write(controlC), 100);
    expect(await demo.ended).toBe(130);
    clearInterval(again);
    expect(demo.output()).not.toContain("All servers said goodbye.");
    await Promise.all(serverUrls(demo.output()).map(isGone));
  });
});
