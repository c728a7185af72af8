import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { createLan, type Host } from "@lmserv/test-netlab";
import { type Figure, figure } from "../harness/figure.ts";
import { cpuMs, memoryOf } from "../harness/proc.ts";
import type { Options } from "./options.ts";
import { type StoreName, startStore } from "./store.ts";
import { startWorker, type Worker } from "./worker.ts";

/** Measurements of one store with one count of nodes. */
export interface StoreRun {
  readonly store: StoreName;
  readonly nodes: number;
  readonly watchers: number;
  readonly lifetimeMs: number;
  /** From the first announcement until the last watcher lists all, in ms. */
  readonly filled: number | null;
  /** From the call of `announce` until the last watcher has the node. */
  readonly known: Figure;
  readonly left: Figure;
  readonly crashed: Figure;
  /** Of the server, while nothing happens: percent of a core, MB. */
  readonly cpu: number;
  readonly rss: number;
  /** On the wire in both directions, a node and second. */
  readonly bytesPerNode: number;
  /** Nodes that a session said to be gone although they were there. */
  readonly wronged: number;
  readonly warnings: readonly string[];
}

/** Programs on each side, so that no event loop is the bottleneck. */
const announcers = 4;
const watcherProcesses = 5;
const fillMs = 180_000;
const eventMs = 90_000;

export async function measureStore(store: StoreName, nodes: number, options: Options): Promise<StoreRun> {
  const folder = await mkdtemp(join(tmpdir(), "lmserv-bench-store-"));
  await using lan = await createLan({ hosts: 1 });
  const [host] = lan.hosts;
  try {
    return await measureOn(host, folder, store, nodes, options);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measureOn(
  host: Host,
  folder: string,
  store: StoreName,
  nodes: number,
  { lifetimeS, watchers, idleS, repeat }: Options,
): Promise<StoreRun> {
  const lifetimeMs = lifetimeS * 1_000;
  await using server = await startStore(store, host, folder);
  const start = (program: "announcer" | "watcher", count: number, name: string): Promise<Worker> =>
    startWorker(host, program, { store, lifetimeMs, count, nodes, name });
  const share = Math.ceil(watchers / watcherProcesses);
  const looking = await Promise.all(shares(watchers, share).map((count) => start("watcher", count, "")));
  const residents = await Promise.all(
    shares(nodes, Math.ceil(nodes / announcers)).map((count, index) =>
      start("announcer", count, `node${index}`),
    ),
  );
  const newcomer = async (index: number): Promise<Worker> => {
    const visitor = await start("announcer", 1, `visitor-${index}`);
    return visitor;
  };
  const visitors = await Promise.all(Array.from({ length: 2 * repeat }, (_, index) => newcomer(index)));
  await delay(2_000);
  for (const resident of residents) resident.tell("go");
  const begun = await Promise.all(
    residents.map((one, index) => one.said("announcing", `node${index}`, fillMs)),
  );
  const whole = await Promise.all(looking.map((one) => one.said("whole", "", fillMs)));
  const filled = between(earliest(begun), latest(whole));
  // Until renewals are spread over their time.
  await delay(lifetimeMs / 2);

  const cost = await idleCost(host, server.pid, nodes, idleS);
  const known: (number | null)[] = [];
  for (const [index, visitor] of visitors.entries()) {
    visitor.tell("go");
    known.push(await untilAll(visitor, looking, "up", `visitor-${index}-0`, `visitor-${index}`));
  }
  const left: (number | null)[] = [];
  for (const [index, visitor] of visitors.slice(0, repeat).entries()) {
    // As what the programs say: by the one clock that all processes share.
    const saidBefore = Date.now();
    visitor.tell("leave");
    const gone = latest(
      await Promise.all(looking.map((one) => one.said("down", `visitor-${index}-0`, eventMs))),
    );
    left.push(between(saidBefore, gone));
  }
  const crashed = await Promise.all(
    visitors.slice(repeat).map(async (visitor, offset) => {
      // By the same clock.
      const killedMs = Date.now();
      visitor.process.kill("SIGKILL");
      const name = `visitor-${repeat + offset}-0`;
      return between(
        killedMs,
        latest(await Promise.all(looking.map((one) => one.said("down", name, eventMs)))),
      );
    }),
  );
  const wronged = looking.flatMap((one) => one.wronged()).length;
  const warnings = [...looking, ...residents].flatMap((one) => one.warnings());
  await Promise.all([...looking, ...residents, ...visitors].map((one) => one[Symbol.asyncDispose]()));
  const figures = { known: figure("ms", known), left: figure("ms", left), crashed: figure("ms", crashed) };
  return { store, nodes, watchers, lifetimeMs, filled, ...figures, ...cost, wronged, warnings };
}

/** From when the visitor calls until the last watcher has seen it. */
async function untilAll(
  visitor: Worker,
  looking: readonly Worker[],
  event: "up" | "down",
  name: string,
  visitorName: string,
): Promise<number | null> {
  const [called, ...seen] = await Promise.all([
    visitor.said("announcing", visitorName, eventMs),
    ...looking.map((one) => one.said(event, name, eventMs)),
  ]);
  return between(called ?? null, latest(seen));
}

async function idleCost(host: Host, pid: number, nodes: number, idleS: number) {
  const before = {
    cpu: (await cpuMs(pid)) ?? Number.NaN,
    bytes: await loopbackBytes(host),
    atMs: performance.now(),
  };
  await delay(idleS * 1_000);
  const after = {
    cpu: (await cpuMs(pid)) ?? Number.NaN,
    bytes: await loopbackBytes(host),
    atMs: performance.now(),
  };
  const seconds = (after.atMs - before.atMs) / 1_000;
  return {
    cpu: (after.cpu - before.cpu) / seconds / 10,
    rss: (await memoryOf(pid))?.rss ?? Number.NaN,
    bytesPerNode: (after.bytes - before.bytes) / seconds / nodes,
  };
}

/** Everything that went over the host's loopback, headers and all. */
async function loopbackBytes(host: Host): Promise<number> {
  const { stdout } = await host.run(["ip", "-s", "-j", "link", "show", "lo"]);
  const [link]: readonly { readonly stats64: { readonly tx: { readonly bytes: number } } }[] =
    JSON.parse(stdout);
  return link?.stats64.tx.bytes ?? Number.NaN;
}

function shares(total: number, most: number): readonly number[] {
  return Array.from({ length: Math.ceil(total / most) }, (_, index) => Math.min(most, total - index * most));
}

function between(from: number | null, to: number | null): number | null {
  return from === null || to === null ? null : to - from;
}

const earliest = (times: readonly (number | null)[]): number | null => chosen(times, Math.min);
const latest = (times: readonly (number | null)[]): number | null => chosen(times, Math.max);

/** Null when one of them never came. */
function chosen(times: readonly (number | null)[], choose: (...values: number[]) => number): number | null {
  const known = times.filter((time) => time !== null);
  return known.length < times.length || known.length === 0 ? null : choose(...known);
}
