import type { Section } from "../../harness/section.ts";
import type { Options } from "../options.ts";
import { openSite } from "../site.ts";

const clients = 16;

export const rate: Section<Options> = {
  name: "rate",
  measures: "requests a second",
  quick: true,
  async run({ seconds }) {
    await using site = await openSite();
    const rates = new Map<string, number>();
    for (const [name, target] of Object.entries(site.targets)) {
      await site.ask({ kind: "rate", target, clients, seconds: 1 });
      rates.set(name, await site.ask<number>({ kind: "rate", target, clients, seconds }));
    }
    const caddy = rates.get("caddy");
    return [
      {
        title: "Requests a second",
        head: ["", "requests a second", "times Caddy's"],
        rows: [...rates].map(([name, perSecond]) => [
          name,
          Math.round(perSecond).toLocaleString("en"),
          caddy === undefined ? "-" : (perSecond / caddy).toFixed(2),
        ]),
        notes: [
          `${clients} clients in one process, bodies of 1 kB, short answers, for ${seconds} s each; client, proxy and server share the machine.`,
        ],
      },
    ];
  },
};
