import { fileURLToPath } from "node:url";
import type { Host } from "@lmserv/test-netlab";

const program = fileURLToPath(new URL("./node.mjs", import.meta.url));
/** Long enough that a node which a busy machine keeps waiting is no dead one. */
const lifetimeMs = 20_000;
/** A process in the fleet, called as its host is. */
export interface StoreNode {
  readonly name: string;
  /** Warnings, and nodes that it saw go, since one of its lines. */
  readonly troubles: (from?: number) => readonly string[];
  readonly lineCount: () => number;
  /** Resolves once it lists exactly these; a star for the stale. */
  readonly lists: (names: readonly string[]) => Promise<void>;
  /** Resolves when it is warned of this. */
  readonly isWarned: (code: string) => Promise<unknown>;
  /** Output outside its protocol, such as unhandled rejections. */
  readonly stderrText: () => string;
  readonly kill: (signal?: NodeJS.Signals) => void;
}

/** Starts one; resolves when the store has its announcement. */
export async function startNode(
  host: Host,
  endpoints: readonly string[],
  store: "etcd" | "nats" = "etcd",
  options: object = {},
): Promise<StoreNode> {
  const task = JSON.stringify({ info: host.name, store, options: { endpoints, lifetimeMs, ...options } });
  const running = await host.spawn([process.execPath, program, task]);
  await running.line((line) => line.includes('"announced"'));
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
      const wanted = [...names].sort().join();
      if (listed() === wanted) return;
      await running.line((_, index) => listed(index + 1) === wanted, { from: running.lines.length });
    },
    isWarned: (code) => running.line((line) => line.includes(`"code":"${code}"`)),
    stderrText: () => running.stderrText,
    kill: running.kill,
  };
}

/** Resolves once each of them lists exactly these. */
export async function allList(nodes: readonly StoreNode[], names: readonly string[]): Promise<void> {
  await Promise.all(nodes.map((node) => node.lists(names)));
}
