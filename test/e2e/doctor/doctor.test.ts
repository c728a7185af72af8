import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { announceOriginal, createLan, type Host, startAvahi } from "@lmserv/test-netlab";
import { describeNet, needsPeers } from "@lmserv/test-netlab/vitest";
import { describe, expect, test } from "vitest";
import { announce } from "../command/command.ts";
import { temporaryFolder } from "../command/temporary-folder.ts";
import { announceServer, deploy } from "../config/deployment.ts";
import { ip } from "../network/wiring.ts";
import { codesOf, examine, examineWith } from "./examine.ts";

const holder = fileURLToPath(new URL("./hold-port.mjs", import.meta.url));

/** Lets a host have lately spoken with another. */
async function acquaint(host: Host, other: Host): Promise<void> {
  await ip(host, `neigh replace ${other.address} lladdr ${other.mac} dev eth0 nud reachable`);
}

describeNet("the doctor", () => {
  describe.concurrent("finds", () => {
    test("nothing wrong in a healthy LAN, and ends with 0", async () => {
      await using lan = await createLan({ hosts: 2, neighbors: "learned" });
      const [here, there] = lan.hosts;
      await announce(there, "--port", "8000", "--info", "theirs", "--no-check");
      const found = await examine(here);
      expect(codesOf(found, "fail")).toEqual([]);
      expect(found.code).toBe(0);
      const fine = codesOf(found, "ok");
      expect(fine.filter((code) => code === "mdns/multicast-returned eth0")).toHaveLength(2);
      expect(fine).toEqual(
        expect.arrayContaining(["INTERFACE_USED eth0", "mdns/port-free eth0", "mdns/multicast-heard eth0"]),
      );
    });

    test("nothing wrong, but somebody missing, where nobody else is", async () => {
      await using lan = await createLan({ hosts: 1, neighbors: "learned" });
      const found = await examine(lan.hosts[0]);
      expect(found.code).toBe(0);
      expect(codesOf(found, "fail")).toEqual([]);
      const silent = found.checks.find(({ code }) => code === "mdns/multicast-silent");
      expect(silent).toMatchObject({
        verdict: "warn",
        transport: "mdns",
        interface: "eth0",
        message: expect.stringMatching(/no neighbour is known there either/),
        fix: expect.stringMatching(/lmserv doctor --sweep$/),
      });
    });

    needsPeers(["avahi"])("multicast dropped between here and avahi, a known neighbour", async () => {
      await using lan = await createLan({ hosts: 2, neighbors: "learned" });
      const [here, there] = lan.hosts;
      await startAvahi(there);
      await acquaint(here, there);
      await lan.dropMulticast(true);
      const found = await examine(here);
      expect(codesOf(found, "fail")).toEqual(["mdns/multicast-dropped eth0"]);
      expect(found.code).toBe(1);
      const dropped = found.checks.find(({ code }) => code === "mdns/multicast-dropped");
      expect(dropped?.message).toContain(there.address);
      expect(dropped?.fix).toMatch(/client isolation.*IGMP snooping/);
      await lan.dropMulticast(false);
      expect(codesOf(await examine(here), "fail")).toEqual([]);
    });

    needsPeers(["python-zeroconf"])(
      "multicast dropped between here and python-zeroconf, an unknown neighbour that a sweep finds",
      async () => {
        await using lan = await createLan({ hosts: 3, neighbors: "learned" });
        const [here, there] = lan.hosts;
        await announceOriginal(there, { name: "python", info: "python", port: 9000 });
        // A sweep of so few addresses is no burden to the one table that all namespaces share.
        await ip(here, `addr del ${here.address}/24 dev eth0`);
        await ip(here, `addr add ${here.address}/29 brd + dev eth0`);
        await lan.dropMulticast(true);
        const found = await examine(here, "--sweep");
        expect(codesOf(found, "fail")).toEqual(["mdns/multicast-dropped eth0"]);
        expect(found.checks.find(({ code }) => code === "mdns/multicast-dropped")?.message).toContain(
          there.address,
        );
      },
    );

    test("that multicast may be dropped, where neighbours are silent", async () => {
      await using lan = await createLan({ hosts: 2, neighbors: "learned" });
      const [here, there] = lan.hosts;
      await announce(there, "--port", "8000", "--info", "theirs", "--no-check");
      await acquaint(here, there);
      await lan.dropMulticast(true);
      const found = await examine(here);
      expect(codesOf(found, "fail")).toEqual([]);
      expect(found.checks.find(({ code }) => code === "mdns/multicast-silent")?.message).toContain(
        `neighbours are known there (${there.address}): none of them speaks mDNS, or multicast is dropped`,
      );
    });

    test("this machine's own firewall, at the way in", async () => {
      await using lan = await createLan({ hosts: 2, neighbors: "learned" });
      const [here, there] = lan.hosts;
      await announce(there, "--port", "8000", "--info", "theirs", "--no-check");
      await guard(here, "input", "drop");
      const found = await examine(here);
      expect(codesOf(found, "fail")).toEqual([
        "mdns/multicast-not-returned eth0",
        "mdns/multicast-not-returned eth0",
      ]);
      expect(codesOf(found, "warn")).not.toContain("mdns/multicast-silent eth0");
    });

    test("this machine's own firewall, at the way out", async () => {
      await using lan = await createLan({ hosts: 1, neighbors: "learned" });
      await guard(lan.hosts[0], "output", "reject");
      const found = await examine(lan.hosts[0]);
      expect(codesOf(found, "fail")).toEqual([
        "mdns/multicast-not-sent eth0",
        "mdns/multicast-not-sent eth0",
      ]);
    });

    test("who keeps port 5353 for itself", async () => {
      await using lan = await createLan({ hosts: 2, neighbors: "learned" });
      const [here, there] = lan.hosts;
      await announce(there, "--port", "8000", "--info", "theirs", "--no-check");
      const taker = await here.spawn([process.execPath, holder]);
      await taker.line((line) => line === "held");
      const found = await examine(here);
      expect(codesOf(found, "fail")).toEqual(["mdns/port-taken eth0"]);
      expect(found.code).toBe(1);
      expect(found.checks.find(({ code }) => code === "mdns/port-taken")).toMatchObject({
        message: expect.stringMatching(
          /UDP port 5353 over IPv4 on eth0 is held by node hold-port\.mjs \(pid \d+\)/,
        ),
        fix: expect.stringMatching(/^end it, or have it share the port$/),
      });
      expect(codesOf(found, "ok")).toContain("mdns/multicast-heard eth0");
    });

    needsPeers(["avahi"])("who shares port 5353, which is fine", async () => {
      await using lan = await createLan({ hosts: 2, neighbors: "learned" });
      const [here, there] = lan.hosts;
      await startAvahi(here);
      await announce(there, "--port", "8000", "--info", "theirs", "--no-check");
      const found = await examine(here);
      expect(codesOf(found, "fail")).toEqual([]);
      expect(found.checks.find(({ code }) => code === "mdns/port-shared")?.message).toMatch(
        /shared with avahi-daemon \(pid \d+\)/,
      );
    });

    test("a full table of neighbours", async () => {
      await using lan = await createLan({ hosts: 2, neighbors: "learned" });
      const [here, there] = lan.hosts;
      await announce(there, "--port", "8000", "--info", "theirs", "--no-check");
      const found = await examineWith(here, { entries: 1024, refusals: 77 });
      expect(codesOf(found, "fail")).toEqual(["arp/neighbor-table-full"]);
      expect(found.code).toBe(1);
      expect(found.checks.find(({ code }) => code === "arp/neighbor-table-full")).toMatchObject({
        transport: "arp",
        message: expect.stringMatching(/holds 1024 entries, and learns 1024 at most; 77 were refused/),
        fix: expect.stringMatching(/sysctl -w net\.ipv4\.neigh\.default\.gc_thresh1=1024 /),
      });
    });

    test("a mesh whose key is another, and nothing where it fits", async () => {
      await using folder = await temporaryFolder();
      await using lan = await createLan({ hosts: 2, neighbors: "learned" });
      const [here, there] = lan.hosts;
      const transports = { mesh: { keyFile: "mesh.key" } };
      const site = await deploy(join(folder.path, "site"), { preset: "cloud", transports });
      await announceServer(there, site);
      const seed = ["--transport", "mesh", "--seed", `ws://${there.address}:7946`];

      const fitting = await examine(here, ...seed, "--key-file", join(site.folder, "mesh.key"));
      expect(codesOf(fitting, "fail")).toEqual([]);
      expect(codesOf(fitting, "ok")).toContain("mesh/seed-reached");

      const other = join(folder.path, "other.key");
      await writeFile(other, `${"b3RoZXI".repeat(7)}\n`, { mode: 0o600 });
      const found = await examine(here, ...seed, "--key-file", other);
      expect(codesOf(found, "fail")).toEqual(["mesh/key-refused"]);
      expect(found.code).toBe(1);
      expect(found.checks.find(({ code }) => code === "mesh/key-refused")).toMatchObject({
        transport: "mesh",
        message: `ws://${there.address}:7946: it does not accept our key and cluster, or cannot tell that we have them`,
        fix: expect.stringMatching(/^give both sides the same key file/),
      });
    });

    test("no interface to use", async () => {
      await using lan = await createLan({ hosts: 1, neighbors: "learned" });
      await ip(lan.hosts[0], "addr flush dev eth0");
      await ip(lan.hosts[0], "link set lo down");
      const found = await examine(lan.hosts[0], "--transport", "mdns");
      expect(codesOf(found, "fail")).toEqual(["NO_USABLE_INTERFACE"]);
    });
  });
});

/** A firewall on the host itself. */
async function guard(host: Host, hook: "input" | "output", verdict: "drop" | "reject"): Promise<void> {
  const rules = `table inet guard {
    chain ${hook} {
      type filter hook ${hook} priority filter; policy accept;
      udp dport 5353 ${verdict}
    }
  }`;
  const { code, stderr } = await host.run(["nft", "-f", "-"], { input: rules });
  expect(stderr).toBe("");
  expect(code).toBe(0);
}
