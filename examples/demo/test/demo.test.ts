import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { isGone, program, type Run, serverUrls, start } from "./demo-process.ts";

// The built demo, on the loopback interface of this machine, which others may use as well.

const node = process.execPath;
const names = ["gpu-box-01", "gpu-box-02", "mac-studio"];

describe("on a pipe", () => {
  test("shows the servers, talks on when one is killed, and leaves nothing behind", async () => {
    await using demo = start(node, program);
    expect(await demo.ended).toBe(0);
    const output = demo.output();
    for (const name of names) expect(output).toMatch(new RegExp(`^${name} +http://127\\.0\\.0\\.1:`, "m"));
    const answers = /^POST (\S+) "(.+)"\n(\S+): \2 I am parrot-\d+b on \3, .*$/gm;
    const [first, second, ...others] = [...output.matchAll(answers)];
    expect([first?.[2], second?.[2], others]).toEqual(["Hello!", "Still there?", []]);
    expect(second?.[1]).toBe(first?.[1]);
    expect(output).toContain(`(${first?.[3]} is killed)`);
    expect(second?.[3]).not.toBe(first?.[3]);
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
    for (const next of ["npx lmserv discover", "curl http://127.0.0.1:"])
      expect(demo.output()).toContain(next);
    const { length } = demo.output();
    demo.process.stdin?.write(controlC);
    expect(await demo.ended).toBe(0);
    const frames = demo.output().slice(length).split(clear);
    const leaving = frames.find((frame) => frame.includes("The servers say goodbye ..."));
    const left = names.length - 1;
    expect(serverUrls(leaving ?? "").length).toBeGreaterThanOrEqual(left);
    expect(serverUrls(frames.at(-1) ?? "").length).toBeLessThanOrEqual(names.length - left);
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
