import { createLan } from "@lmserv/test-netlab";
import { describeNet } from "@lmserv/test-netlab/vitest";
import { expect, test } from "vitest";
import { announce, discover, lmserv } from "./command.ts";

describeNet("a machine without a network", () => {
  test("is told so, and what to do, by discover, announce and doctor", async () => {
    await using lan = await createLan({ hosts: 1 });
    const [a] = lan.hosts;
    await a.run(["ip", "link", "del", "eth0"]);
    const nothing = await a.run(lmserv("discover"));
    expect(nothing).toMatchObject({ code: 3, stdout: "" });
    expect(nothing.stderr).toBe(
      "lmserv: error: mdns: NO_INTERFACE: this machine has no network interface but lo (127.0.0.1), where no node is announced: connect it to a network, or name that interface to look on this machine alone\nlmserv: lmserv doctor examines what is in the way\n",
    );
    expect(await a.run(lmserv("discover", "--interface", "lo"))).toMatchObject({ code: 1 });
    const examined = await a.run(lmserv("doctor"));
    expect(examined.code).toBe(1);
    expect(examined.stdout).toMatch(/^mdns\n +fail +this machine has no network interface but lo: /);

    const announcer = await announce(a, "--port", "8000", "--info", "alone", "--no-check");
    expect(announcer.stderrText).toContain("over mdns on lo, which other machines do not hear");
    const found = await discover(a, "--first", "--timeout", "2m");
    expect(found).toMatchObject({ code: 0, listing: { nodes: [{ info: "alone" }] } });
    expect(await discover(a, "--interface", "lo", "--first", "--timeout", "2m")).toMatchObject({ code: 0 });
  });
});
