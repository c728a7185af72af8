import { figure, median } from "../../harness/figure.ts";
import type { Section } from "../../harness/section.ts";
import type { Table } from "../../harness/table.ts";
import type { Options } from "../options.ts";
import type { Latencies, LatencyAnswer } from "../order.ts";
import { openSite } from "../site.ts";

const bodies: readonly (readonly [string, number])[] = [
  ["1 kB", 1_000],
  ["100 kB", 100_000],
];

export const latency: Section<Options> = {
  name: "latency",
  measures: "the time to the first byte, and that of each token",
  quick: true,
  async run({ rounds }) {
    await using site = await openSite();
    const tables: Table[] = [];
    for (const [size, bytes] of bodies) {
      const { targets } = site;
      const answer = await site.ask<LatencyAnswer>({ kind: "latency", targets, rounds, bytes });
      tables.push(tableOf(size, answer));
    }
    return tables;
  },
};

function tableOf(size: string, answer: LatencyAnswer): Table {
  const { direct, ...proxies } = answer;
  if (!direct) throw new TypeError("the client did not measure the way without a proxy");
  const added = (of: (latencies: Latencies) => readonly number[], one: Latencies): number =>
    median(of(one)) - median(of(direct));
  const firstByte = (one: Latencies): number => added((latencies) => latencies.firstByte, one);
  const caddy = proxies.caddy && firstByte(proxies.caddy);
  return {
    title: `Bodies of ${size}, ms`,
    head: ["", "to the first byte", "added", "added, times Caddy's", "a token", "added"],
    rows: Object.entries(answer).map(([name, latencies]) => [
      name,
      figure("ms", latencies.firstByte),
      name === "direct" ? "-" : firstByte(latencies).toFixed(2),
      name === "direct" || caddy === undefined ? "-" : (firstByte(latencies) / caddy).toFixed(1),
      figure("ms", latencies.token),
      name === "direct" ? "-" : added((one) => one.token, latencies).toFixed(2),
    ]),
    notes: [
      "One request at a time, through all of them in turns, on connections that are kept; `added` compares medians.",
      "A token's time begins when the server writes it. 21 of them come 5 ms apart.",
      "The endpoint reads the whole body, chooses a server by it and can send it again; the proxies do not read it.",
    ],
  };
}
