import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { memoryOf } from "../../harness/proc.ts";
import type { Section } from "../../harness/section.ts";
import type { Options } from "../options.ts";
import { openSite } from "../site.ts";

/** Streams go on for so long before memory is read. */
const settleMs = 5_000;

export const memory: Section<Options> = {
  name: "memory",
  measures: "the memory of streams that are open at once",
  quick: true,
  async run({ streams }) {
    await using site = await openSite();
    const perStream = new Map<string, readonly [beforeMb: number, kb: number]>();
    for (const { name, origin: target, process } of site.proxies) {
      // Once through, so that what is made once is there.
      await site.ask({ kind: "open", target, streams: 10 });
      await site.ask({ kind: "close" });
      await delay(settleMs);
      const beforeMb = await privateMb(process.pid);
      await site.ask({ kind: "open", target, streams });
      await delay(settleMs);
      const duringMb = await privateMb(process.pid);
      await site.ask({ kind: "close" });
      perStream.set(name, [beforeMb, ((duringMb - beforeMb) * 1_000) / streams]);
    }
    const caddy = perStream.get("caddy")?.[1];
    return [
      {
        title: `Memory of ${streams} streams`,
        head: ["", "without streams, MB", "a stream, kB", "times Caddy's"],
        rows: [...perStream].map(([name, [beforeMb, kb]]) => [
          name,
          beforeMb.toFixed(1),
          kb.toFixed(1),
          caddy === undefined ? "-" : (kb / caddy).toFixed(2),
        ]),
        notes: [
          "Memory of the program and its workers that is not shared with others. Each stream has a token every 100 ms.",
        ],
      },
    ];
  },
};

/** Memory of a process and its children that is not shared with others. */
async function privateMb(pid: number): Promise<number> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "");
  const pids = [pid, ...children.trim().split(" ").filter(Boolean).map(Number)];
  const sizes = await Promise.all(pids.map(memoryOf));
  return sizes.reduce((sum, size) => sum + (size?.own ?? 0), 0);
}
