import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Host } from "../../src/index.ts";

const program = fileURLToPath(new URL("./node.mjs", import.meta.url));
/** Short, so that a fault and its mending fit into a test. */
export const lifetimeMs = 3_000;
/** What a busy machine may add. */
export const slackMs = 4_000;
const patienceMs = 40_000;

/** A process in the fleet, called as its host is. */
export interface FleetNode {
  readonly name: string;
  /** What it was warned of, and whom it saw go, since a line of its. */
  readonly troubles: (from?: number) => readonly string[];
  readonly lineCount: () => number;
  /** Resolves with the time that it took, in ms, once it lists exactly these; a star for the stale. */
  readonly lists: (names: readonly string[]) => Promise<number>;
  /** Resolves when it is warned of this. */
  readonly isWarned: (code: string) => Promise<unknown>;
  /** What it uses of a processor within so many ms, as a share. */
  readonly load: (withinMs: number) => Promise<number>;
  /** What it said outside of its part: unhandled rejections, for one. */
  readonly stderrText: () => string;
  readonly kill: (signal?: NodeJS.Signals) => void;
}

/** Starts one; resolves when the engine has its announcement. */
export async function startNode(
  host: Host,
  servers: readonly string[],
  engine: "etcd" | "nats" = "etcd",
  options: object = {},
): Promise<FleetNode> {
  const task = JSON.stringify({ info: host.name, engine, options: { servers, lifetimeMs, ...options } });
  const running = await host.spawn([process.execPath, program, task]);
  await running.line((line) => line.includes('"announced"'), { timeoutMs: patienceMs });
  const listed = (end: number = running.lines.length): string => {
    const marks = new Map<string, string>();
    for (const line of running.lines.slice(0, end)) {
      const { event, info } = JSON.parse(line);
      if (event === "fresh") marks.set(info, "");
      if (event === "stale") marks.set(info, "*");
      if (event === "down") marks.delete(info);
    }
    return [...marks]
      .map(([info, mark]) => `${info}${mark}`)
      .sort()
      .join();
  };
  return {
    name: host.name,
    lineCount: () => running.lines.length,
    troubles: (from = 0) => running.lines.slice(from).filter((line) => /"(down|stale|warning)"/.test(line)),
    async lists(names) {
      const startMs = performance.now();
      const wanted = [...names].sort().join();
      if (listed() !== wanted) {
        const from = running.lines.length;
        await running.line((_, index) => listed(index + 1) === wanted, { from, timeoutMs: patienceMs });
      }
      return performance.now() - startMs;
    },
    isWarned: (code) => running.line((line) => line.includes(`"code":"${code}"`), { timeoutMs: patienceMs }),
    async load(withinMs) {
      const before = await cpuMs(running.pid);
      await delay(withinMs);
      return ((await cpuMs(running.pid)) - before) / withinMs;
    },
    stderrText: () => running.stderrText,
    kill: running.kill,
  };
}

/** The time until the last of them lists exactly these, in ms. */
export async function allListMs(nodes: readonly FleetNode[], names: readonly string[]): Promise<number> {
  return Math.max(...(await Promise.all(nodes.map((node) => node.lists(names)))));
}

/** Processor time of a process, in ms: its clock ticks are 10 ms long. */
async function cpuMs(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).split(") ").at(-1)?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
