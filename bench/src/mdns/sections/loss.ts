import { setTimeout as delay } from "node:timers/promises";
import { figure } from "../../harness/figure.ts";
import type { Section } from "../../harness/section.ts";
import type { Cell } from "../../harness/table.ts";
import type { Options } from "../options.ts";
import type { PeerName } from "../peer.ts";
import type { PeerProcess } from "../peer-process.ts";
import { openSite } from "../site.ts";

const hosts = 10;
const lossPercent = 20;

export const loss: Section<Options> = {
  name: "loss",
  measures: "false downs while frames are lost",
  quick: false,
  async run({ lossS, full }) {
    const peers: readonly PeerName[] = full ? ["lmserv", "dnssd"] : ["lmserv"];
    return [
      {
        title: `False downs in ${lossS} s at ${lossPercent} % loss, ${hosts} hosts that announce and browse`,
        head: [
          "peer",
          "down events at all browsers",
          "browsers that had any",
          "listed at each browser in the end",
        ],
        rows: await Promise.all(peers.map((peer) => endure(peer, lossS * 1_000))),
        notes: [
          "Every browser lists every service before the first frame is lost; each copy of a multicast is lost for itself.",
        ],
      },
    ];
  },
};

async function endure(peer: PeerName, lossMs: number): Promise<Cell[]> {
  await using site = await openSite(Array<PeerName>(hosts).fill(peer));
  const programs = await Promise.all(site.hosts.map((host) => host.start()));
  for (const [index, program] of programs.entries()) {
    program.tell({ command: "announce", info: infoOf(index), port: 8_000, chosen: false });
    program.tell({ command: "browse" });
  }
  await Promise.all(programs.map(seesAll));
  await site.lan.lose(lossPercent);
  await delay(lossMs);
  const downs = programs.map((program) => program.events().filter(({ event }) => event === "down").length);
  const ups = programs.map((program) => program.events().filter(({ event }) => event === "up").length);
  return [
    peer,
    String(downs.reduce((sum, count) => sum + count, 0)),
    String(downs.filter((count) => count > 0).length),
    figure(
      "",
      ups.map((count, index) => count - (downs[index] ?? 0)),
    ),
  ];
}

async function seesAll(program: PeerProcess): Promise<void> {
  const arrivals = Array.from({ length: hosts }, (_, index) => program.event("up", { info: infoOf(index) }));
  const missing = (await Promise.all(arrivals)).filter((arrival) => arrival === null).length;
  if (missing > 0) throw new Error(`a browser does not list ${missing} of ${hosts} services before any loss`);
}

function infoOf(index: number): string {
  return `loss-${index}`;
}
