import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { createLan } from "../src/lan.ts";
import { describeNet } from "../src/vitest.ts";

describeNet("a process on a host", () => {
  test("is signalled itself, and tells how it ended", async () => {
    await using lan = await createLan({ hosts: 1 });
    const [host] = lan.hosts;
    const trap =
      'process.on("SIGTERM", () => { console.log("bye"); process.exit(7); }); console.log("up"); setInterval(() => {}, 1000);';
    const polite = await host.spawn([process.execPath, "-e", trap]);
    await polite.line((line) => line === "up");
    expect(readFileSync(`/proc/${polite.pid}/cmdline`, "utf8")).toContain("SIGTERM");
    polite.kill();
    expect(await polite.exited).toEqual({ code: 7, signal: null });
    expect(polite.stdoutText).toBe("up\nbye\n");

    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      const ended = await host.spawn(["cat"]);
      ended.kill(signal);
      expect(await ended.exited).toEqual({ code: null, signal });
    }
    const killed = await host.spawn(["cat"]);
    process.kill(killed.pid, "SIGKILL");
    expect(await killed.exited).toEqual({ code: null, signal: "SIGKILL" });
    killed.kill();
  });

  test("can be stopped, continued, and killed while stopped", async () => {
    await using lan = await createLan({ hosts: 1 });
    await using cat = await lan.hosts[0].spawn(["cat"]);
    cat.kill("SIGSTOP");
    cat.stdin.write("awake\n");
    cat.kill("SIGCONT");
    await cat.line((line) => line === "awake");
    cat.kill("SIGSTOP");
    cat.kill("SIGKILL");
    expect(await cat.exited).toEqual({ code: null, signal: "SIGKILL" });
  });

  test("gets its folder, its environment and its input", async () => {
    await using lan = await createLan({ hosts: 1 });
    const [host] = lan.hosts;
    const script = 'pwd; echo "$COLOUR"; cat; echo oh >&2; exit 3';
    const finished = await host.run(["sh", "-c", script], {
      cwd: "/etc",
      env: { COLOUR: "blue" },
      input: "in",
    });
    expect(finished).toEqual({ code: 3, signal: null, stdout: "/etc\nblue\nin", stderr: "oh\n" });
    expect((await host.run(["pwd"])).stdout.trim()).toBe(process.cwd());
    expect(await host.run(["no-such-program"])).toMatchObject({ code: 127 });
  });

  test("that does not end or say what was expected is an error with its output", async () => {
    await using lan = await createLan({ hosts: 1 });
    const [host] = lan.hosts;
    await expect(host.run(["sleep", "60"], { timeoutMs: 50 })).rejects.toThrow(
      "sleep 60 on h1 did not end within 50 ms",
    );
    await using talker = await host.spawn(["sh", "-c", "echo one; echo two >&2; exec sleep 60"]);
    await talker.stderrLine((line) => line === "two");
    await expect(talker.line((line) => line === "two", { timeoutMs: 50 })).rejects.toThrow(
      "within 50 ms\nsh -c",
    );
    await expect(talker.line(() => true, { from: 1, timeoutMs: 50 })).rejects.toThrow("one");
    const mute = await host.spawn(["true"]);
    await expect(mute.line(() => true)).rejects.toThrow("The output ended");
  });
});
