import { setTimeout as delay } from "node:timers/promises";
import { type Packet, packetTap } from "@lmserv/test-netlab";
import { figure } from "../../harness/figure.ts";
import { cpuMs, memoryOf } from "../../harness/proc.ts";
import type { Section } from "../../harness/section.ts";
import { startServer } from "../../harness/server.ts";
import type { Cell, Table } from "../../harness/table.ts";
import { type Frames, framesOfHosts, type HostFrames } from "../../harness/traffic.ts";
import type { Options } from "../options.ts";
import type { PeerHost, PeerName } from "../peer.ts";
import type { PeerProcess } from "../peer-process.ts";
import { openSite } from "../site.ts";

const peerNames: readonly PeerName[] = ["lmserv", "lmserv-health", "dnssd", "bonjour-service"];
const titles: Partial<Record<PeerName, string>> = { "lmserv-health": "lmserv, health on" };
const settlingMs = 30_000;
/** Port of the servers, which the hosts open if they are asked. */
const port = 8_000;

export const idle: Section<Options> = {
  name: "idle",
  measures: "what hosts that announce and browse cost while nothing happens",
  quick: false,
  async run({ hosts, idleS }) {
    const tables: Table[] = [];
    for (const count of hosts) {
      const rows: Cell[][] = [];
      for (const peer of peerNames)
        rows.push([titles[peer] ?? peer, ...(await idleCost(peer, count, idleS * 1_000))]);
      tables.push(tableOf(count, idleS, rows));
    }
    return tables;
  },
};

async function idleCost(peer: PeerName, count: number, idleMs: number): Promise<Cell[]> {
  const plan = Array<PeerName>(count).fill(peer);
  await using site = await openSite(plan);
  const tap = await packetTap(site.lan.switch);
  const programs = await Promise.all(site.hosts.map(startOne));
  await delay(settlingMs);
  const storm = tap.all().length;
  const [framesBefore, before] = [await framesOfHosts(site.lan.switch), await cpuOf(programs)];
  await delay(idleMs);
  const [framesAfter, after] = [await framesOfHosts(site.lan.switch), await cpuOf(programs)];
  const packets = (await tap.stop()).slice(storm);
  const perMinute = 60_000 / idleMs;
  const memories = await Promise.all(programs.map(({ process }) => memoryOf(process.pid)));
  return [
    ...trafficOf(packets, perMinute),
    ...sentFrames(site.hosts, framesBefore, framesAfter, perMinute),
    figure("ms", spentBetween(before, after, perMinute)),
    figure(
      "MB",
      memories.map((reading) => reading?.rss ?? null),
    ),
    figure("", programs.map(listed)),
    String(storm),
  ];
}

async function startOne({ peer, host, start }: PeerHost, index: number): Promise<PeerProcess> {
  if (peer === "lmserv-health") await startServer(host, [port]);
  const program = await start();
  program.tell({ command: "announce", info: `idle-${index}`, port, chosen: false });
  program.tell({ command: "browse" });
  return program;
}

/** Null for programs that have ended. */
function cpuOf(programs: readonly PeerProcess[]): Promise<(number | null)[]> {
  return Promise.all(programs.map(({ process }) => cpuMs(process.pid)));
}

function spentBetween(
  before: readonly (number | null)[],
  after: readonly (number | null)[],
  perMinute: number,
): (number | null)[] {
  return after.map((ms, index) => {
    const earlier = before[index] ?? null;
    return ms === null || earlier === null ? null : (ms - earlier) * perMinute;
  });
}

/** Packets, queries among them, and bytes of DNS per minute. */
function trafficOf(packets: readonly Packet[], perMinute: number): Cell[] {
  const isQuery = ({ payload }: Packet): boolean => ((payload[2] ?? 0) & 0x80) === 0;
  const queries = packets.filter(isQuery).length;
  const bytes = packets.reduce((sum, { payload }) => sum + payload.length, 0);
  const [all, asked, size] = [packets.length, queries, bytes].map((count) => Math.round(count * perMinute));
  return [`${all}`, `${asked}`, `${size}`];
}

/** Ethernet frames and their bytes that a host sent per minute, whatever they carry. */
function sentFrames(
  hosts: readonly PeerHost[],
  before: ReadonlyMap<string, HostFrames>,
  after: ReadonlyMap<string, HostFrames>,
  perMinute: number,
): Cell[] {
  const sent = (kind: keyof Frames): Cell =>
    figure(
      "",
      hosts.map(({ host: { name } }) => {
        const [from, to] = [before.get(name), after.get(name)];
        return from && to ? (to.sent[kind] - from.sent[kind]) * perMinute : null;
      }),
    );
  return [sent("frames"), sent("bytes")];
}

/** Count of services that the program lists. */
function listed({ events }: PeerProcess): number {
  const infos = new Set<string>();
  for (const event of events()) {
    if (event.event === "up") infos.add(event.info);
    if (event.event === "down") infos.delete(event.info);
  }
  return infos.size;
}

function tableOf(count: number, idleS: number, rows: readonly Cell[][]): Table {
  return {
    title: `Idle cost, ${count} hosts that announce and browse`,
    head: [
      "peer",
      "packets per minute on the LAN",
      "queries among them",
      "bytes of DNS per minute",
      "frames sent per minute and host",
      "bytes of frames sent per minute and host",
      "CPU ms per minute and host",
      "resident MB",
      "services listed per host",
      "packets up to then",
    ],
    rows,
    notes: [
      `Counted for ${idleS} s, from ${settlingMs / 1_000} s after the last start; packets up to then are those of the start.`,
      "Packets: once each, at the switch. CPU: all threads, from the scheduler.",
      "Frames: all that leaves a host, with what its server answers. The server's CPU is not counted.",
      "lmserv speaks IPv4 and IPv6, the others IPv4 alone.",
      "missed: the program had ended by itself.",
    ],
  };
}
