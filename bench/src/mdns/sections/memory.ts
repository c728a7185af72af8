import { setTimeout as delay } from "node:timers/promises";
import { figure } from "../../harness/figure.ts";
import { type Memory, memoryOf } from "../../harness/proc.ts";
import type { Section } from "../../harness/section.ts";
import type { Options } from "../options.ts";
import { participants } from "../participants.ts";
import type { PeerName } from "../peer.ts";
import { openSites, type Site } from "../site.ts";

const peerNames = [
  "nothing",
  "multicast-dns",
  "bonjour-service",
  "lmserv",
  "dnssd",
  "ciao",
  "python-zeroconf",
] as const;

const titles: Partial<Record<PeerName, string>> = { nothing: "Node alone", ciao: "ciao (announces only)" };
const processes = 5;
const idleMs = 10_000;

export const memory: Section<Options> = {
  name: "memory",
  measures: "memory of a process that announces and browses",
  quick: true,
  async run() {
    const { present, absent } = await participants(peerNames);
    await using sites = await openSites(present.map((peer) => Array<PeerName>(processes).fill(peer)));
    const readings = await Promise.all(sites.all.map(weigh));
    const found = new Map(present.map((peer, index) => [peer, readings[index] ?? []]));
    const row = (peer: PeerName): (string | ReturnType<typeof figure>)[] => {
      const own = found.get(peer) ?? [];
      const cells = [
        figure(
          "MB",
          own.map((reading) => reading?.rss ?? null),
        ),
        figure(
          "MB",
          own.map((reading) => reading?.own ?? null),
        ),
      ];
      const reason = absent.get(peer);
      return [titles[peer] ?? peer, ...(reason === undefined ? cells : [reason, reason])];
    };
    return [
      {
        title: "Memory of one process, MB",
        head: ["peer", "resident", "of that its own"],
        rows: peerNames.map(row),
        notes: [
          `${processes} processes on a LAN announce and browse; read after ${idleMs / 1_000} s, no garbage collection forced.`,
          "Its own: pages that no other process shares. What avahi needs is in a daemon of the system.",
        ],
      },
    ];
  },
};

async function weigh({ hosts }: Site): Promise<(Memory | null)[]> {
  const programs = await Promise.all(hosts.map((host) => host.start()));
  for (const [index, program] of programs.entries()) {
    if (hosts[index]?.peer === "nothing") continue;
    program.tell({ command: "announce", info: `node-${index}`, port: 8_000, chosen: false });
    program.tell({ command: "browse" });
  }
  await delay(idleMs);
  return await Promise.all(programs.map(({ process }) => memoryOf(process.pid)));
}
