import { setTimeout as delay } from "node:timers/promises";
import { figure } from "../../harness/figure.ts";
import type { Section } from "../../harness/section.ts";
import { startServer } from "../../harness/server.ts";
import type { Cell } from "../../harness/table.ts";
import type { PeerName } from "../../mdns/peer.ts";
import type { PeerProcess } from "../../mdns/peer-process.ts";
import { openSite } from "../../mdns/site.ts";
import type { Options } from "../options.ts";

const levels = [5, 20];
const port = 8_000;

export const loss: Section<Options> = {
  name: "loss",
  measures: "nodes that are taken for silent, or for gone, while frames are lost",
  quick: true,
  async run({ hosts, lossS }) {
    return [
      {
        title: `${lossS} s with lost frames, ${hosts} hosts that serve, announce and check each other`,
        head: [
          "frames lost, %",
          "checks",
          "of them silent",
          "share, %",
          "silences",
          "down events at all watchers",
          "listed at each watcher in the end",
        ],
        rows: await Promise.all(levels.map((percent) => endure(hosts, percent, lossS * 1_000))),
        notes: [
          "Every watcher has every node checked before the first loss; each copy of a frame is lost for itself, whatever it carries.",
          "Checks: those that came to a result; a failure that is asked about at once has none. A silence is one or more silent checks in a row of one node at one watcher.",
        ],
      },
    ];
  },
};

async function endure(hosts: number, percent: number, lossMs: number): Promise<Cell[]> {
  await using site = await openSite(Array<PeerName>(hosts).fill("lmserv-health"));
  await Promise.all(site.hosts.map(({ host }) => startServer(host, [port])));
  const programs = await Promise.all(site.hosts.map(({ start }) => start()));
  for (const [index, program] of programs.entries()) {
    program.tell({ command: "announce", info: infoOf(index), port, chosen: false });
    program.tell({ command: "browse" });
  }
  await Promise.all(programs.map((program) => seesAll(program, hosts)));
  const before = programs.map((program) => program.events().length);
  await site.lan.lose(percent);
  await delay(lossMs);
  const tallies = programs.map((program, index) => tally(program, before[index] ?? 0));
  const sum = (field: "checks" | "silent" | "silences" | "downs"): number =>
    tallies.reduce((total, one) => total + one[field], 0);
  return [
    String(percent),
    String(sum("checks")),
    String(sum("silent")),
    ((100 * sum("silent")) / sum("checks")).toFixed(3),
    String(sum("silences")),
    String(sum("downs")),
    figure("", programs.map(listed)),
  ];
}

async function seesAll(program: PeerProcess, hosts: number): Promise<void> {
  const checked = Array.from({ length: hosts }, (_, index) =>
    program.event("checked", { info: infoOf(index), timeoutMs: 60_000 }),
  );
  const missing = (await Promise.all(checked)).filter((event) => event === null).length;
  if (missing > 0) throw new Error(`a watcher has not checked ${missing} of ${hosts} nodes before any loss`);
}

/** Events of a watcher since number `from`. */
function tally({ events }: PeerProcess, from: number) {
  const states = new Map<string, string>();
  const sums = { checks: 0, silent: 0, silences: 0, downs: 0 };
  for (const event of events().slice(from)) {
    if (event.event === "down") sums.downs += 1;
    if (event.event !== "checked") continue;
    sums.checks += 1;
    if (event.state === "silent") {
      sums.silent += 1;
      if (states.get(event.info) !== "silent") sums.silences += 1;
    }
    states.set(event.info, event.state);
  }
  return sums;
}

function listed({ events }: PeerProcess): number {
  const infos = new Set<string>();
  for (const event of events()) {
    if (event.event === "up") infos.add(event.info);
    if (event.event === "down") infos.delete(event.info);
  }
  return infos.size;
}

function infoOf(index: number): string {
  return `loss-${index}`;
}
