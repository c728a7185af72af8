import { fileURLToPath } from "node:url";
import { createLan, type Host } from "@lmserv/test-netlab";
import { describeNet } from "@lmserv/test-netlab/vitest";
import { describe, expect, test } from "vitest";
import { discover, type Listing } from "../command/command.ts";
import { endpointsOf, serve } from "./neighbors.ts";

const packageFolder = fileURLToPath(new URL("../../../packages/discovery-arp", import.meta.url));
const arpA = `${packageFolder}/node_modules/arp-a`;

/** The command before it is bundled: it finds its packages, or does not, as every program does. */
const program = fileURLToPath(new URL("../../../apps/cli/dist/main.js", import.meta.url));
const search = [
  process.execPath,
  program,
  "discover",
  "--json",
  "-v",
  "--transport",
  "arp",
  "--sweep",
  "--wait",
  "1",
  "--timeout",
  "60s",
];

interface Outcome {
  readonly code: number | null;
  readonly listing: Listing;
  readonly stderr: string;
}

/** Runs the command where something of the system is covered by something else. */
async function discoverUnder(host: Host, cover: string): Promise<Outcome> {
  const script = `${cover}\nexec "$@"`;
  const { code, stdout, stderr } = await host.run([
    "unshare",
    "--mount",
    "sh",
    "-ec",
    script,
    "sh",
    ...search,
  ]);
  return { code, listing: JSON.parse(stdout || "{}"), stderr };
}

/** The folder that the package is in, without which it cannot be loaded. */
const withoutArpA = `mount -t tmpfs none "$(readlink -f ${arpA})"`;
/** The command becomes this very process, whose table that is. */
const withoutProc = 'mount -t tmpfs none "/proc/$$/net"';
/** Nothing else on the path: node is called by its own. */
const withoutPrograms = "export PATH=/nowhere";

describeNet("a server is found", () => {
  describe.concurrent("also", () => {
    test.each([
      ["without the package arp-a", withoutArpA, "read by /proc/net/arp"],
      ["without /proc/net/arp", withoutProc, "read by ip neigh"],
      ["without either", `${withoutArpA}\n${withoutProc}`, "read by ip neigh"],
      ["without programs", withoutPrograms, "read by arp-a, checked by /proc/net/arp"],
    ])("%s", async (_, cover, way) => {
      await using lan = await createLan({ hosts: 2, neighbors: "learned" });
      const [seeker, server] = lan.hosts;
      await serve(server, "lmserv", 8000);
      const { code, listing, stderr } = await discoverUnder(seeker, cover);
      expect(stderr).toContain(way);
      expect(endpointsOf(listing)).toEqual([`${server.address}:8000`]);
      expect(code).toBe(0);
    });
  });
});

describeNet("a machine that does not let its neighbour table be read", () => {
  test("is told as such, with every reason, and 3", async () => {
    await using lan = await createLan({ hosts: 1, neighbors: "learned" });
    const { code, listing } = await discoverUnder(lan.hosts[0], `${withoutProc}\n${withoutPrograms}`);
    expect(code).toBe(3);
    expect(listing).toMatchObject({
      complete: false,
      nodes: [],
      warnings: [
        {
          code: "TRANSPORT_UNAVAILABLE",
          message: expect.stringMatching(
            /neighbour table cannot be read.*no such file.*spawn ip ENOENT.*spawn arp ENOENT/,
          ),
        },
      ],
    });
  });
});

describeNet("a server that takes 0.6 s an answer", () => {
  test("is found", async () => {
    await using lan = await createLan({ hosts: 2, neighbors: "learned" });
    const [seeker, server] = lan.hosts;
    await serve(server, "slow", 11_434);
    const entry = ["neigh", "add", server.address, "lladdr", server.mac, "dev", "eth0", "nud", "stale"];
    await seeker.run(["ip", ...entry]);
    const { listing } = await discover(seeker, "--transport", "arp", "--first", "--timeout", "60s");
    expect(endpointsOf(listing)).toEqual([`${server.address}:11434`]);
  });
});

describeNet("hosts that would hold up or flood whoever asks", () => {
  test("do neither: the server among them is found, and the search ends", async () => {
    await using lan = await createLan({ hosts: 5, neighbors: "learned" });
    const [seeker, endless, flood, mute, server] = lan.hosts;
    await Promise.all([
      ...[8000, 11434, 8741].map((port) => serve(endless, "endless", port)),
      ...[8000, 11434, 8741].map((port) => serve(flood, "flood", port)),
      ...[8000, 11434, 8741].map((port) => serve(mute, "mute", port)),
      serve(server, "lmserv", 8000),
    ]);
    const { code, listing } = await discover(
      seeker,
      "--transport",
      "arp",
      "--sweep",
      "--first",
      "--timeout",
      "60s",
    );
    expect(code).toBe(0);
    expect(endpointsOf(listing)).toEqual([`${server.address}:8000`]);
  });
});
