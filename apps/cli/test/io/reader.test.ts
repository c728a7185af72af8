import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes, randomInt } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";

// Built command, with readers that leave while it has nothing to print.

const bin = fileURLToPath(new URL("../../bin/lmserv.mjs", import.meta.url));
const watch = ["discover", "--watch", "--json", "--interface", "lo"];
const command = [process.execPath, bin, ...watch].map((word) => `'${word}'`).join(" ");

/** Other programs may use the loopback interface too. */
const name = `reader-${randomBytes(6).toString("hex")}`;
const port = String(randomInt(20_000, 60_000));

const children = new Set<ChildProcess>();

function start(program: string, ...argv: string[]): ChildProcess {
  const child = spawn(program, argv, { stdio: ["ignore", "pipe", "ignore"], detached: true });
  children.add(child);
  return child;
}

afterEach(() => {
  for (const { pid, exitCode, signalCode } of children) {
    if (pid && exitCode === null && signalCode === null) process.kill(-pid, "SIGKILL");
  }
  children.clear();
});

describe("a watch", () => {
  it.skipIf(process.platform !== "linux").each(["head -n 1", "true"])(
    "ends with the reader of its pipe: %s",
    async (reader) => {
      // The shell also waits for the first part of a pipeline.
      const [code] = await once(start("sh", "-c", `${command} | ${reader}`), "exit");
      expect(code).toBe(0);
    },
  );

  it("ends with the reader of its socket", async () => {
    const child = start(process.execPath, bin, ...watch);
    const ended = once(child, "exit");
    if (child.stdout) await once(child.stdout, "data");
    child.stdout?.destroy();
    expect(await ended).toEqual([0, null]);
  });

  it("goes on while another still reads", async () => {
    // Two processes read the pipe: one leaves at once, the other shows its input.
    const { stdout } = start("sh", "-c", `${command} | { head -n 0; cat; }`);
    if (!stdout) throw new Error("the output is no pipe");
    const lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
    expect(await lines.next()).toMatchObject({ value: expect.stringContaining("version") });
    start(
      process.execPath,
      bin,
      "announce",
      "--port",
      port,
      "--info",
      name,
      "--no-check",
      "--interface",
      "lo",
    );
    for (;;) {
      const { value, done } = await lines.next();
      expect(done).toBe(false);
      if (value.includes(name)) break;
    }
  });
});
