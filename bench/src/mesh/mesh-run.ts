import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { createLan, type Host, type Lan } from "@lmserv/test-netlab";
import { type Figure, figure } from "../harness/figure.ts";
import { cpuMs, memoryOf } from "../harness/proc.ts";
import { framesOfHosts } from "../harness/traffic.ts";
import { turnstile } from "../harness/turnstile.ts";
import { machineTimes } from "./machine-times.ts";
import { type Member, type Mesh, startMember } from "./member.ts";
import type { Options } from "./options.ts";
import { type PeerName, peers } from "./peer.ts";

/** What was measured of one peer at one size. */
export interface MeshRun {
  readonly peer: PeerName;
  /** Members with a process each. */
  readonly count: number;
  /** Members in one more process. */
  readonly crowd: number;
  /** From the newcomer's first word until every member lists it. */
  readonly join: Figure;
  /** From the first member that lists it to the last. */
  readonly spread: Figure;
  readonly crash: Figure;
  readonly silence: Figure;
  readonly leave: Figure;
  /** From the start of the first process until everybody lists everybody. */
  readonly whole: Figure;
  readonly sentPerS: Figure;
  /** Of a core, in percent. */
  readonly cpu: Figure;
  readonly rss: Figure;
  /** Of all cores, in percent: of whatever ran on this machine meanwhile. */
  readonly busy: Figure;
}

/** Until a mesh is whole; a hundred processes take their time to start on two cores. */
const wholeMs = 240_000;
const eventMs = 60_000;
/** After everybody lists everybody until all have their links as well, so that nothing of the start is measured. */
const settlingMs = 60_000;
/** Between what happens to the mesh. */
const pauseMs = 1_000;

export async function measureMesh(peer: PeerName, count: number, options: Options): Promise<MeshRun> {
  const state = await mkdtemp(join(tmpdir(), "lmserv-bench-"));
  try {
    return await measureIn(state, peer, count, options);
  } finally {
    await rm(state, { recursive: true });
  }
}

async function measureIn(state: string, peer: PeerName, count: number, options: Options): Promise<MeshRun> {
  const { idleS } = options;
  const crowd = peers[peer].crowds ? options.crowd : 0;
  const ends = endsOf(options);
  await using lan: Lan = await createLan({ hosts: 1 + count + ends.length });
  const [crowded, seed] = lan.hosts;
  if (!crowded || !seed) throw new RangeError("a mesh has members");
  const mesh: Mesh = { peer: peers[peer], seed, state };
  const startMs = performance.now();
  const members = await startMesh(mesh, lan.hosts.slice(1, 1 + count), { host: crowded, members: crowd });
  const whole = figure("ms", [performance.now() - startMs]);
  await delay(settlingMs);
  const idle = await idleCost(lan, members.slice(0, count), idleS);
  const visits: Visit[] = [];
  for (const [index, how] of ends.entries()) {
    const host = lan.hosts[1 + count + index];
    if (host) visits.push(await visit({ mesh, lan, members }, host, how));
  }
  const gone = (how: Visit["how"]): Figure =>
    figure(
      "ms",
      visits.filter((one) => one.how === how).map(({ goneMs }) => goneMs),
    );
  return {
    peer,
    count,
    crowd,
    join: figure(
      "ms",
      visits.map(({ joinMs }) => joinMs),
    ),
    spread: figure(
      "ms",
      visits.map(({ spreadMs }) => spreadMs),
    ),
    crash: gone("crash"),
    silence: gone("silence"),
    leave: gone("leave"),
    whole,
    ...idle,
  };
}

/** How each newcomer goes: killed and leaving by turns, then cut off. */
function endsOf({ repeat, silent }: Options): readonly Visit["how"][] {
  const turns = Array.from({ length: repeat }, () => ["crash", "leave"] as const);
  return [...turns.flat(), ...Array.from({ length: silent }, () => "silence" as const)];
}

/** A process that is many members. */
interface Crowd {
  readonly host: Host;
  readonly members: number;
}

/** Resolves, once everybody lists everybody, with the processes: one a host, then the crowd, if there is one. */
async function startMesh(mesh: Mesh, hosts: readonly Host[], crowd: Crowd): Promise<readonly Member[]> {
  const { seed } = mesh;
  // As boxes that boot: the next one starts when one of the last six knows the first.
  const starts = turnstile(6);
  const first = await startMember(seed, mesh);
  const started = await first.sees("started", "", { sinceMs: 0, timeoutMs: eventMs });
  if (started === null) throw new Error(`The first member did not start: ${first.process.stderrText}`);
  const others = hosts
    .filter((host) => host !== seed)
    .map((host) =>
      starts(async () => {
        const member = await startMember(host, mesh);
        await member.sees("up", seed.name, { sinceMs: 0, timeoutMs: eventMs });
        return member;
      }),
    );
  const members = [first, ...(await Promise.all(others))];
  if (crowd.members > 0) members.push(await startMember(crowd.host, mesh, crowd.members));
  const endMs = performance.now() + wholeMs;
  const counts = (): readonly number[] => members.map((member) => member.listed());
  while (counts().some((count) => count < hosts.length - 1 + crowd.members)) {
    if (performance.now() > endMs) throw new Error(`The mesh is not whole; members list ${counts()}`);
    await delay(100);
  }
  return members;
}

async function idleCost(lan: Lan, members: readonly Member[], idleS: number) {
  const cpu = (): Promise<(number | null)[]> => Promise.all(members.map(({ process }) => cpuMs(process.pid)));
  const [sentBefore, cpuBefore, machineBefore] = [
    await framesOfHosts(lan.switch),
    await cpu(),
    machineTimes(),
  ];
  await delay(idleS * 1_000);
  const [sentAfter, cpuAfter, machineAfter] = [await framesOfHosts(lan.switch), await cpu(), machineTimes()];
  const memories = await Promise.all(members.map(({ process }) => memoryOf(process.pid)));
  const sent = members.map(({ host: { name } }) => {
    const [before, after] = [sentBefore.get(name), sentAfter.get(name)];
    return (after?.sent.bytes ?? 0) - (before?.sent.bytes ?? 0);
  });
  return {
    sentPerS: figure(
      "",
      sent.map((bytes) => bytes / idleS),
    ),
    cpu: figure(
      "",
      cpuAfter.map((ms, index) => {
        const before = cpuBefore[index] ?? null;
        return ms === null || before === null ? null : (ms - before) / (10 * idleS);
      }),
    ),
    busy: figure("", [machineAfter.busySharePercent(machineBefore)]),
    rss: figure(
      "MB",
      memories.map((memory) => memory?.rss ?? null),
    ),
  };
}

interface Visit {
  readonly how: "crash" | "leave" | "silence";
  readonly joinMs: number | null;
  readonly spreadMs: number | null;
  readonly goneMs: number | null;
}

/** Where a visit takes place. */
interface Scene {
  readonly mesh: Mesh;
  readonly lan: Lan;
  readonly members: readonly Member[];
}

/** A host joins, is there for a while, and goes. */
async function visit(scene: Scene, host: Host, how: Visit["how"]): Promise<Visit> {
  const { mesh, members } = scene;
  await delay(pauseMs);
  const search = { sinceMs: performance.now(), timeoutMs: eventMs };
  const newcomer = await startMember(host, mesh);
  const startedMs = (await newcomer.sees("started", "", search)) ?? search.sinceMs;
  const seen = await Promise.all(members.map((member) => member.sees("up", host.name, search)));
  await delay(pauseMs);

  const goneFrom = { sinceMs: performance.now(), timeoutMs: eventMs };
  await end(scene, newcomer, how);
  const gone = await Promise.all(members.map((member) => member.sees("down", host.name, goneFrom)));
  newcomer.process.kill("SIGKILL");
  await newcomer.process.exited;
  const [first, last] = [lastOf(seen, Math.min), lastOf(seen, Math.max)];
  return {
    how,
    joinMs: last === null ? null : last - startedMs,
    spreadMs: last === null || first === null ? null : last - first,
    goneMs: minus(lastOf(gone, Math.max), goneFrom.sinceMs),
  };
}

async function end({ mesh, lan }: Scene, { host, process }: Member, how: Visit["how"]): Promise<void> {
  if (how === "crash") process.kill("SIGKILL");
  else if (how === "leave") process.kill(mesh.peer.leaveSignal);
  // Nothing passes any more, and nobody is told.
  else await lan.filter(`cut-${host.name}`, `iifname "${host.name}" drop\noifname "${host.name}" drop`);
}

/** Null when one of them has none. */
function lastOf(times: readonly (number | null)[], pick: (...values: number[]) => number): number | null {
  const known = times.filter((time) => time !== null);
  return known.length < times.length ? null : pick(...known);
}

function minus(time: number | null, fromMs: number): number | null {
  return time === null ? null : time - fromMs;
}
