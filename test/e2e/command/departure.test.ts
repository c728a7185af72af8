import { fileURLToPath } from "node:url";
import { createLan, python } from "@lmserv/test-netlab";
import { describeNet, needsPeers } from "@lmserv/test-netlab/vitest";
import { describe, expect, test } from "vitest";
import { isStaleBy } from "../loss/events.ts";
import { announce, discover, listen, lmserv, type WatchEvent, watch } from "./command.ts";

const closedTerminal = fileURLToPath(new URL("./closed-terminal.py", import.meta.url));

const up = ({ type }: { readonly type: string }): boolean => type === "up";
const isFresh = ({ node }: WatchEvent): boolean => node !== undefined && isStaleBy(null)(node);
const down = ({ type }: { readonly type: string }): boolean => type === "down";

describeNet("a node that leaves", () => {
  describe.concurrent("is noticed", () => {
    test("at SIGTERM, as a goodbye", async () => {
      await using lan = await createLan({ hosts: 2 });
      const [a, b] = lan.hosts;
      const announcer = await announce(a, "--port", "8000", "--info", "leaving", "--no-check");
      const seen = await watch(b);
      await seen.event(up);
      announcer.kill("SIGTERM");
      const event = await seen.event(down);
      expect(event).toMatchObject({ reason: "goodbye", node: { info: "leaving", host: a.address } });
      expect(await announcer.exited).toEqual({ code: 0, signal: null });
    });

    test("when its server dies, as a goodbye, and so is its return", async () => {
      await using lan = await createLan({ hosts: 2 });
      const [a, b] = lan.hosts;
      const seen = await watch(b);
      const announcing = announce(a, "--port", "8000", "--info", "served");
      const server = await listen(a, 8000);
      await announcing;
      await seen.event(up);
      server.kill("SIGKILL");
      expect(await seen.event(down)).toMatchObject({ reason: "goodbye" });

      const before = seen.events().length;
      await listen(a, 8000);
      await seen.process.line((line) => line.includes('"up"'), { from: before });
    });
  });
});

describeNet("an announcer whose terminal is closed", () => {
  const test = needsPeers(["python"]);

  test("says goodbye and ends as its system would have ended it", async () => {
    await using lan = await createLan({ hosts: 2 });
    const [a, b] = lan.hosts;
    const seen = await watch(b);
    const announcer = lmserv("announce", "--port", "8000", "--info", "closed", "--no-check");
    const { stdout } = await a.run([python, closedTerminal, "announced", ...announcer]);
    expect(stdout).toBe("signal 1\n");
    expect(await seen.event(down)).toMatchObject({ reason: "goodbye", node: { info: "closed" } });
  });
});

describeNet("a LAN without multicast", () => {
  describe.concurrent("among hosts", () => {
    test("is told as such", async () => {
      await using lan = await createLan({ hosts: 2 });
      const [a, b] = lan.hosts;
      await lan.dropMulticast(true);
      await announce(a, "--port", "8000", "--no-check");
      const seen = await watch(b);
      expect(await seen.event(({ type }) => type === "warning")).toMatchObject({
        code: "NO_ANSWER",
        message: expect.stringMatching(/nothing answered on .*blocked/),
      });
      expect(seen.events().filter(up)).toEqual([]);
    });

    test("finds the nodes by itself once it lets multicast through", async () => {
      await using lan = await createLan({ hosts: 2 });
      const [a, b] = lan.hosts;
      await lan.dropMulticast(true);
      const seen = await watch(b);
      await announce(a, "--port", "8000", "--no-check");
      await seen.event(({ type }) => type === "warning");
      await lan.dropMulticast(false);
      await seen.event(up);
    });
  });
});

describeNet("a host", () => {
  describe.concurrent("on a LAN", () => {
    test("that is cut off knows at once that its list may be old, and finds the others again", async () => {
      await using lan = await createLan({ hosts: 2 });
      const [a, b] = lan.hosts;
      await announce(a, "--port", "8000", "--info", "there", "--no-check");
      const seen = await watch(b);
      await seen.event(up);
      await b.cut();
      await seen.event(({ node }) => node !== undefined && isStaleBy("NO_INTERFACE")(node));
      const before = seen.events().length;
      await b.heal();
      await seen.process.line((line) => isFresh(JSON.parse(line)), { from: before });
      expect(seen.events().filter(down)).toEqual([]);
    });

    test("without a usable interface is unavailable, with the reason", async () => {
      await using lan = await createLan({ hosts: 1 });
      const [a] = lan.hosts;
      await a.run(["ip", "link", "set", "lo", "down"]);
      await a.run(["ip", "addr", "flush", "dev", "eth0"]);
      const { code, listing } = await discover(a);
      expect(code).toBe(3);
      expect(listing).toMatchObject({
        complete: false,
        nodes: [],
        warnings: [
          { code: "TRANSPORT_UNAVAILABLE", message: expect.stringContaining("no usable network interface") },
        ],
      });
    });

    test("that gets a network later is waited for by announce", async () => {
      await using lan = await createLan({ hosts: 2 });
      const [a, b] = lan.hosts;
      await a.run(["ip", "link", "set", "lo", "down"]);
      await a.run(["ip", "addr", "flush", "dev", "eth0"]);
      const announcing = announce(a, "--port", "8000", "--info", "late", "--no-check");
      const seen = await watch(b);
      await a.run(["ip", "addr", "add", `${a.address}/24`, "dev", "eth0"]);
      await announcing;
      expect(await seen.event(up)).toMatchObject({ node: { info: "late", host: a.address } });
    });

    test("whose port 5353 is held over both families by a program that does not share it says so", async () => {
      await using lan = await createLan({ hosts: 1 });
      const [a] = lan.hosts;
      const hold = `require("node:dgram").createSocket("udp6").bind(5353, () => console.log("bound"))`;
      const holder = await a.spawn([process.execPath, "-e", hold]);
      await holder.line((line) => line === "bound");
      const { code, listing } = await discover(a);
      expect(code).toBe(3);
      expect(listing.warnings[0]).toMatchObject({
        code: "TRANSPORT_UNAVAILABLE",
        message: expect.stringMatching(/5353.*EADDRINUSE/),
      });
    });
  });
});
