import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createLan, type Host, type HostProcess, type Lan } from "@lmserv/test-netlab";
import { cpuMs, memoryOf } from "../../harness/proc.ts";
import type { Section } from "../../harness/section.ts";
import type { Server } from "../../harness/server.ts";
import { framesOfHosts } from "../../harness/traffic.ts";
import { turnstile } from "../../harness/turnstile.ts";
import { type Machine, startMachine } from "../../health/command.ts";
import type { Options } from "../options.ts";

const program = fileURLToPath(new URL("../../../../apps/cli/bin/lmserv.mjs", import.meta.url));
const root = "http://127.0.0.1:8740";
/** Two cores that start dozens of programs at once finish none in time. */
const places = 4;
const lookMs = 1_000;
/** All announcements have been repeated by then, and known answers have been asked for once. */
const settlingMs = 30_000;

/** Counts since the start, and memory at the moment. */
interface Reading {
  readonly cpuMs: number;
  readonly rssMb: number;
  readonly ownMb: number;
  readonly sent: number;
  readonly received: number;
  readonly requests: number;
}

export const idle: Section<Options> = {
  name: "idle",
  measures: "what lmserv up takes while nothing happens",
  quick: true,
  async run({ nodes, idleS }) {
    const folder = await mkdtemp(join(tmpdir(), "lmserv-bench-"));
    const lan: Lan = await createLan({ hosts: nodes + 1 });
    try {
      const [home, ...others] = lan.hosts;
      if (!home) throw new RangeError("the LAN has no hosts");
      const start = turnstile(places);
      const machines = await Promise.all(others.map((host) => start(() => startMachine(host, folder))));
      const env = { XDG_STATE_HOME: join(folder, home.name) };
      const up = await home.spawn([process.execPath, program, "up"], { env });
      while ((await healthyNodes(home)) < nodes) await delay(lookMs);
      await delay(settlingMs);
      const alone = await measure(lan, home, up, machines, idleS);
      await home.spawn(["curl", "--silent", "--no-buffer", `${root}/lmserv/events`]);
      const read = await measure(lan, home, up, machines, idleS);
      return [
        {
          title: `lmserv up with ${nodes} nodes and nothing to do, for ${idleS} s`,
          head: [
            "",
            "CPU, % of a core",
            "resident, MB",
            "its own, MB",
            "frames sent a minute",
            "received",
            "requests a minute",
          ],
          rows: [
            ["alone", ...alone],
            ["with a reader of its events", ...read],
          ],
          notes: [
            "Requests: as the servers counted them; each node is asked how it is every 5 s. Frames: Ethernet, of mDNS and of requests.",
          ],
        },
      ];
    } finally {
      await lan[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function measure(
  lan: Lan,
  home: Host,
  { pid }: HostProcess,
  machines: readonly Machine[],
  seconds: number,
): Promise<readonly string[]> {
  const servers = machines.map(({ server }) => server);
  const before = await readingOf(lan, home, pid, servers);
  await delay(seconds * 1_000);
  const after = await readingOf(lan, home, pid, servers);
  const perMinute = (of: (reading: Reading) => number): string =>
    (((of(after) - of(before)) * 60) / seconds).toFixed(0);
  return [
    ((after.cpuMs - before.cpuMs) / (seconds * 10)).toFixed(2),
    after.rssMb.toFixed(1),
    after.ownMb.toFixed(1),
    perMinute(({ sent }) => sent),
    perMinute(({ received }) => received),
    perMinute(({ requests }) => requests),
  ];
}

async function readingOf(lan: Lan, home: Host, pid: number, servers: readonly Server[]): Promise<Reading> {
  const frames = (await framesOfHosts(lan.switch)).get(home.name);
  const memory = await memoryOf(pid);
  const cpu = await cpuMs(pid);
  if (!frames || !memory || cpu === null) throw new Error("lmserv up has ended");
  const requests = await Promise.all(servers.map((server) => server.requests()));
  return {
    cpuMs: cpu,
    rssMb: memory.rss,
    ownMb: memory.own,
    sent: frames.sent.frames,
    received: frames.received.frames,
    requests: requests.reduce((sum, count) => sum + count, 0),
  };
}

/** Nodes that are listed as healthy; 0 until it serves. */
async function healthyNodes(home: Host): Promise<number> {
  const { stdout } = await home.run(["curl", "--silent", "--max-time", "5", `${root}/metrics`]);
  return Number(/^lmserv_nodes\{state="healthy"\} (\d+)$/m.exec(stdout)?.[1] ?? 0);
}
