import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { createLan, type Host } from "../../src/index.ts";
import { describeNet, needsPeers } from "../../src/vitest.ts";
import { type Listing, lmserv } from "../discovery/command.ts";
import { endpointsOf, serve } from "./neighbors.ts";

const packageFolder = fileURLToPath(new URL("../../../../packages/discovery-arp", import.meta.url));
const arpA = `${packageFolder}/node_modules/arp-a`;

/** The command before it is bundled: it finds its packages, or does not, as every program does. */
const program = fileURLToPath(new URL("../../../../apps/cli/dist/main.js", import.meta.url));
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
  "10s",
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
    ])(
      "%s",
      async (_, cover, way) => {
        await using lan = await createLan({ hosts: 2 });
        const [seeker, server] = lan.hosts;
        await serve(server, "lmserv", 8000);
        const { code, listing, stderr } = await discoverUnder(seeker, cover);
        expect(stderr).toContain(way);
        expect(endpointsOf(listing)).toEqual([`${server.address}:8000`]);
        expect(code).toBe(0);
      },
      30_000,
    );
  });
});

describeNet("a machine that does not let its neighbour table be read", () => {
  test("is told as such, with every reason, and 3", async () => {
    await using lan = await createLan({ hosts: 1 });
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

/** Tells, after what the command printed, how much memory it took at most, in KiB. */
const weigh = [
  "/usr/bin/python3",
  "-c",
  `import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)`,
] as const;

describeNet("a server that takes 0.6 s an answer", () => {
  test.concurrent("is part of a complete list", async () => {
    await using lan = await createLan({ hosts: 2 });
    const [seeker, server] = lan.hosts;
    await serve(server, "slow", 11_434);
    const entry = ["neigh", "add", server.address, "lladdr", server.mac, "dev", "eth0", "nud", "stale"];
    await seeker.run(["ip", ...entry]);
    const { stdout } = await seeker.run(lmserv("discover", "--json", "--transport", "arp"));
    const listing: Listing = JSON.parse(stdout);
    expect(listing.complete).toBe(true);
    expect(endpointsOf(listing)).toEqual([`${server.address}:11434`]);
  }, 30_000);
});

describeNet("hosts that would hold up or flood whoever asks", () => {
  needsPeers(["python"])(
    "do neither: the server among them is found, in time and in bounded memory",
    async () => {
      await using lan = await createLan({ hosts: 5 });
      const [seeker, endless, flood, mute, server] = lan.hosts;
      await Promise.all([
        ...[8000, 11434, 8741].map((port) => serve(endless, "endless", port)),
        ...[8000, 11434, 8741].map((port) => serve(flood, "flood", port)),
        ...[8000, 11434, 8741].map((port) => serve(mute, "mute", port)),
        serve(server, "lmserv", 8000),
      ]);
      const startMs = performance.now();
      const command = lmserv("discover", "--json", "--transport", "arp", "--sweep");
      const { code, stdout } = await seeker.run([...weigh, ...command]);
      const [document = "", peakKiB = ""] = stdout.trimEnd().split("\n");
      expect(code).toBe(0);
      expect(endpointsOf(JSON.parse(document))).toEqual([`${server.address}:8000`]);
      expect(performance.now() - startMs).toBeLessThan(10_000);
      // Node alone takes 45 MiB.
      expect(Number(peakKiB)).toBeLessThan(160 * 1_024);
    },
    30_000,
  );
});
