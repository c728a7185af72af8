import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Host } from "@lmserv/test-netlab";
import { cpuMs } from "../../harness/proc.ts";
import type { Section } from "../../harness/section.ts";
import { type Server, startServer } from "../../harness/server.ts";
import type { Cell } from "../../harness/table.ts";
import { framesOfHosts } from "../../harness/traffic.ts";
import type { PeerHost, PeerName } from "../../mdns/peer.ts";
import { type PeerProcess, peerProcess } from "../../mdns/peer-process.ts";
import { openSite, type Site } from "../../mdns/site.ts";
import type { Load, Options } from "../options.ts";

/** Hosts that the nodes are on. */
const maxHosts = 20;
const firstPort = 9_000;
/** More on one link are not what mDNS is for; a watcher is told of them as a store would. */
const mostAnnounced = 200;
/** All announcements have been repeated by then. */
const settlingMs = 20_000;
const startMs = 120_000;
/** Of one node, in s; of many, so many checks a second. */
const schedule = { intervalS: 5, checksPerS: 40 };

export const load: Section<Options> = {
  name: "load",
  measures: "what checks of many nodes cost",
  quick: true,
  async run({ loads }) {
    const rows: Cell[][] = [];
    for (const one of loads) rows.push(await costOf(one));
    return [
      {
        title: "Many nodes, checked by one watcher",
        head: [
          "nodes",
          "known by",
          "seconds",
          "checks a second",
          "as scheduled",
          "GET requests a second",
          "bytes a second, sent and received",
          "without health",
          "CPU of the watcher, % of a core",
          "without health",
          "silent checks",
          "down events",
        ],
        rows,
        notes: [
          `Scheduled: each node every ${schedule.intervalS} s, but ${schedule.checksPerS} nodes a second at most. Requests: as the servers counted them, with those for lists.`,
          "A second watcher without health, on another host, knows the same nodes. Told: all at once, by a transport of the benchmark. Bytes: Ethernet frames of the watcher's host.",
        ],
      },
    ];
  },
};

async function costOf({ nodes, seconds }: Load): Promise<Cell[]> {
  const hosts = Math.min(nodes, maxHosts);
  const plan: PeerName[] = ["lmserv-health", ...Array<PeerName>(hosts + 1).fill("lmserv")];
  await using site = await openSite(plan);
  const [checking, plain, ...others] = site.hosts;
  if (!checking || !plain) throw new RangeError("the LAN has no hosts");
  const ports = Array.from({ length: Math.ceil(nodes / hosts) }, (_, index) => firstPort + index);
  const servers = await Promise.all(others.map(({ host }) => startServer(host, ports)));
  const isAnnounced = nodes <= mostAnnounced;
  if (isAnnounced) await Promise.all(others.map((one) => announceAll(one, ports)));
  const addresses = others.map(({ host }) => host.address);
  const watchers = isAnnounced
    ? ([await checking.start(), await plain.start()] as const)
    : ([
        await startTold(checking.host, true, addresses, ports),
        await startTold(plain.host, false, addresses, ports),
      ] as const);
  for (const watcher of watchers) watcher.tell({ command: "browse" });
  await Promise.all(watchers.map((watcher) => listsAll(watcher, hosts * ports.length)));
  await delay(settlingMs);
  const before = await read(site, watchers, servers);
  await delay(seconds * 1_000);
  const after = await read(site, watchers, servers);
  const perS = (sum: (reading: Reading) => number): string =>
    ((sum(after) - sum(before)) / seconds).toLocaleString("en", { maximumFractionDigits: 1 });
  return [
    String(hosts * ports.length),
    isAnnounced ? "mDNS" : "told",
    String(seconds),
    perS(({ checks }) => checks),
    String(nodes / Math.max(schedule.intervalS, nodes / schedule.checksPerS)),
    perS(({ requests }) => requests),
    perS(({ bytes }) => bytes[0]),
    perS(({ bytes }) => bytes[1]),
    perS(({ cpu }) => cpu[0] / 10),
    perS(({ cpu }) => cpu[1] / 10),
    String(after.silent - before.silent),
    String(after.downs - before.downs),
  ];
}

async function announceAll({ host, start }: PeerHost, ports: readonly number[]): Promise<void> {
  const program = await start();
  for (const port of ports) {
    program.tell({ command: "announce", info: `${host.name}-${port}`, port, chosen: false });
  }
}

/** A watcher that is told of its nodes, as a store would tell it. */
async function startTold(
  host: Host,
  checks: boolean,
  addresses: readonly string[],
  ports: readonly number[],
): Promise<PeerProcess> {
  const program = fileURLToPath(import.meta.resolve("@lmserv/bench/health/programs/told"));
  const args = [checks ? "yes" : "no", addresses.join(), ports.join()];
  return peerProcess(await host.spawn([process.execPath, program, ...args]));
}

interface Reading {
  readonly checks: number;
  readonly silent: number;
  readonly downs: number;
  readonly requests: number;
  /** Of the watcher with health, and of the one without. */
  readonly bytes: readonly [number, number];
  readonly cpu: readonly [number, number];
}

async function read(
  { lan, hosts: [checking, plain] }: Site,
  [watcher, without]: readonly [PeerProcess, PeerProcess],
  servers: readonly Server[],
): Promise<Reading> {
  const events = watcher.events();
  const checks = events.filter(({ event }) => event === "checked");
  const requests = await Promise.all(servers.map((server) => server.requests()));
  const frames = await framesOfHosts(lan.switch);
  const bytesOf = (name = ""): number => {
    const of = frames.get(name);
    return of ? of.sent.bytes + of.received.bytes : Number.NaN;
  };
  const cpuOf = async ({ process }: PeerProcess): Promise<number> => (await cpuMs(process.pid)) ?? Number.NaN;
  return {
    checks: checks.length,
    silent: checks.filter((event) => "state" in event && event.state === "silent").length,
    downs: events.filter(({ event }) => event === "down").length,
    requests: requests.reduce((sum, count) => sum + count, 0),
    bytes: [bytesOf(checking?.host.name), bytesOf(plain?.host.name)],
    cpu: [await cpuOf(watcher), await cpuOf(without)],
  };
}

async function listsAll(watcher: PeerProcess, nodes: number): Promise<void> {
  const listed = (): number =>
    new Set(watcher.events().flatMap((event) => (event.event === "up" ? [event.info] : []))).size;
  const enough = (): boolean => listed() >= nodes;
  if (enough()) return;
  await watcher.process.line(enough, { from: watcher.process.lines.length, timeoutMs: startMs });
}
