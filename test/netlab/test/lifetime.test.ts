import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { holderCommand, startHolder } from "../src/holder.ts";
import { createLan } from "../src/lan.ts";
import { startAvahi } from "../src/peers/avahi.ts";
import { openPlace, type Place } from "../src/place.ts";
import { lanScript, planHosts } from "../src/plan.ts";
import { describeNet, needsPeers } from "../src/vitest.ts";
import { listen } from "./listener.ts";

const nobody = { uid: 65_534, gid: 65_534 };

const namespaceOf = async (place: Place): Promise<string> =>
  (await place.run(["readlink", "/proc/self/ns/net"])).stdout.trim();

/** Visible processes in one of these network namespaces. */
function inhabitants(namespaces: readonly string[]): readonly string[] {
  return readdirSync("/proc").filter((pid) => {
    try {
      return /^\d+$/.test(pid) && namespaces.includes(readlinkSync(`/proc/${pid}/ns/net`));
    } catch {
      return false;
    }
  });
}

describeNet("the life of a LAN", () => {
  test("leaves no process and no namespace behind", async () => {
    const lan = await createLan({ hosts: 2 });
    const [a, b] = lan.hosts;
    const namespaces = await Promise.all([a, b, lan.switch].map(namespaceOf));
    await a.spawn(["sh", "-c", "sleep 1000 & sleep 1000"]);
    const orphan = await b.spawn(["sh", "-c", "setsid sleep 1000 & echo started"]);
    await orphan.line((line) => line === "started");
    const stopped = await b.spawn(["cat"]);
    stopped.kill("SIGSTOP");
    expect(inhabitants(namespaces).length).toBeGreaterThanOrEqual(4);

    await lan[Symbol.asyncDispose]();
    expect(inhabitants(namespaces)).toEqual([]);
    await expect(a.run(["true"])).rejects.toThrow("Cannot run true on h1");
    await lan[Symbol.asyncDispose]();
  });

  test("stays out of the machine's own namespaces", async () => {
    const machine = readlinkSync("/proc/self/ns/net");
    await using lan = await createLan({ hosts: 1 });
    const namespaces = [await namespaceOf(lan.hosts[0]), await namespaceOf(lan.switch)];
    expect(new Set([machine, ...namespaces]).size).toBe(3);
    expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain("/run/netns/h1");
    expect(readFileSync("/proc/net/dev", "utf8")).not.toContain("h1:");
  });

  test("ends with the process that made it, even if that is killed", async () => {
    const owner = `const { spawn } = require("node:child_process");
      const [script, program, ...args] = process.argv.slice(1);
      spawn(program, args, { stdio: ["pipe", "inherit", "inherit"] }).stdin.write(script);`;
    const script = lanScript(planHosts(1), "known");
    const child = spawn(process.execPath, ["-e", owner, script, ...holderCommand], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [pid] = await once(createInterface({ input: child.stdout }), "line");
    const holder = { pid: Number(pid), user: undefined, async [Symbol.asyncDispose]() {} };
    const host = openPlace(holder, "h1", "eth0", new Set());
    const sleeper = await host.spawn(["sleep", "1000"]);
    const namespaces = [await namespaceOf(host)];

    child.kill("SIGKILL");
    expect(await sleeper.exited).toEqual({ code: null, signal: "SIGKILL" });
    await expect.poll(() => inhabitants(namespaces), { timeout: 60_000 }).toEqual([]);
  });

  test.runIf(process.getuid?.() === 0)("belongs to an ordinary user as well", async () => {
    await using lan = await createLan({ hosts: 2, user: nobody });
    const [a, b] = lan.hosts;
    const [one, two] = await Promise.all([listen(a), listen(b)]);
    expect(readFileSync(`/proc/${one.pid}/status`, "utf8")).toMatch(/^Uid:\t65534\t65534\t65534\t65534$/m);
    one.stdin.write("hello");
    await two.line((line) => line === `${a.address} says hello`);
    await lan.dropMulticast(true);
    await b.cut();
    await b.heal();
  });

  needsPeers(["avahi"])("runs avahi for an ordinary user", async () => {
    await using lan = await createLan({ hosts: 1, ...(process.getuid?.() === 0 && { user: nobody }) });
    await using avahi = await startAvahi(lan.hosts[0]);
    await avahi.publish({ name: "a", port: 8000 });
    expect(await avahi.browse()).toContainEqual(expect.objectContaining({ name: "a", hostname: "h1.local" }));
  });

  test("says what went wrong when it cannot be made", async () => {
    const script = "echo no mounts for you >&2; exit 1\n";
    await expect(startHolder(script)).rejects.toThrow(new Error("Cannot make a LAN: no mounts for you"));
  });
});
