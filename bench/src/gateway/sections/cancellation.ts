import { figure } from "../../harness/figure.ts";
import type { Section } from "../../harness/section.ts";
import type { Options } from "../options.ts";
import { openSite, type Site } from "../site.ts";

const times = 20;

export const cancellation: Section<Options> = {
  name: "cancellation",
  measures: "how soon a server learns that its client left",
  quick: true,
  async run() {
    await using site = await openSite();
    const rows = [];
    for (const [name, target] of Object.entries(site.targets)) {
      const samples: number[] = [];
      for (let time = 0; time < times; time += 1) samples.push(await leave(site, target));
      rows.push([name, figure("ms", samples)]);
    }
    return [
      {
        title: "A client leaves in mid-stream",
        head: ["", "until the server knows, ms"],
        rows,
        notes: ["From the end of the client's connection to its end at the server."],
      },
    ];
  },
};

async function leave({ ask, upstream }: Site, target: string): Promise<number> {
  await ask({ kind: "open", target, streams: 1 });
  const from = upstream.lines.length;
  const leftMs = await ask<number>({ kind: "close" });
  const line = await upstream.line((candidate) => candidate.startsWith("left "), { from });
  return Number(line.split(" ")[1]) - leftMs;
}
