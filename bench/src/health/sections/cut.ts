import { setTimeout as delay } from "node:timers/promises";
import type { Stamped } from "../../harness/event-log.ts";
import { figure } from "../../harness/figure.ts";
import type { Section } from "../../harness/section.ts";
import type { Cell } from "../../harness/table.ts";
import type { Machine, WatchEvent } from "../command.ts";
import { type Fleet, isDown, isHealthy, isUp, openFleet } from "../fleet.ts";
import type { Options } from "../options.ts";

const maxMachines = 20;
/** Every node has given a sign of life by then, as most have that are out of reach one day. */
const settledMs = 60_000;
/** Hosts are cut off at any moment of the intervals of others. */
const windowMs = 10_000;
/** Time for which a path stays broken after its host is gone. */
const absenceMs = 10_000;
const missedMs = 90_000;

export const cut: Section<Options> = {
  name: "cut",
  measures: "how soon a host that cannot be reached is gone",
  quick: true,
  async run({ repeat }) {
    await using fleet = await openFleet(Math.min(repeat, maxMachines));
    await delay(settledMs);
    const holes = await Promise.all(fleet.machines.map((machine) => losePath(fleet, machine)));
    const cuts = await Promise.all(fleet.machines.map((machine) => cutOff(fleet, machine)));
    const row = (what: string, aim: string, times: readonly (number | null)[]): Cell[] => [
      what,
      aim,
      figure("ms", times),
    ];
    return [
      {
        title: "Hosts out of reach, mDNS alone, ms",
        head: ["", "aim", "median (minimum-maximum)"],
        rows: [
          row("host cut off -> gone", "20,000", cuts),
          row(
            "path to it fails -> gone",
            "20,000",
            holes.map(({ goneMs }) => goneMs),
          ),
          row(
            "path works again -> listed",
            "-",
            holes.map(({ backMs }) => backMs),
          ),
        ],
        notes: [
          `The nodes are ${settledMs / 1_000} s old.`,
          "Cut off: the host's link at the switch goes down. The watcher's own stays, and it knows the host's MAC address, so that nobody tells it.",
          `The path: the switch drops what is for the host or from it, and neither side is told. It works again ${absenceMs / 1_000} s after the host was gone.`,
        ],
      },
    ];
  },
};

interface Hole {
  readonly goneMs: number | null;
  readonly backMs: number | null;
}

async function losePath({ lan, sees }: Fleet, machine: Machine): Promise<Hole> {
  const { name } = machine.host;
  await delay(Math.random() * windowMs);
  const startMs = performance.now();
  await lan.filter(name, `iifname "${name}" drop\noifname "${name}" drop`);
  const down = await sees(machine, isDown, startMs, missedMs);
  await delay(absenceMs);
  const wholeMs = performance.now();
  await lan.filter(name, null);
  const up = await sees(machine, isUp, wholeMs, missedMs);
  if (up) await sees(machine, isHealthy, wholeMs, missedMs);
  return { goneMs: since(startMs, down), backMs: since(wholeMs, up) };
}

async function cutOff({ sees }: Fleet, machine: Machine): Promise<number | null> {
  await delay(Math.random() * windowMs);
  const startMs = performance.now();
  await machine.host.cut();
  const down = await sees(machine, isDown, startMs, missedMs);
  return since(startMs, down);
}

/** Null for what did not come. */
function since(startMs: number, event: Stamped<WatchEvent> | null): number | null {
  return event && event.atMs - startMs;
}
