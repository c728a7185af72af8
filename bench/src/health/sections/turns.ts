import { setTimeout as delay } from "node:timers/promises";
import { figure } from "../../harness/figure.ts";
import type { Section } from "../../harness/section.ts";
import { startServer } from "../../harness/server.ts";
import { type Machine, port, type WatchEvent } from "../command.ts";
import { type Fleet, isDown, isHealthy, isSilent, isUp, openFleet } from "../fleet.ts";
import type { Options } from "../options.ts";

/** Machines at a time; more would measure how two cores are shared. */
const maxMachines = 10;
/** Longest time between two turns: everything happens at any moment of the intervals of others. */
const maxPauseMs = 5_000;
/** Longest time until a model is pulled: the interval of the questions for lists. */
const listsMs = 30_000;
const missedMs = 60_000;

const aims = {
  "SIGKILL of a server -> down": "3,500",
  "its return -> up": "3,000",
  "SIGSTOP -> silent": "15,000",
  "SIGCONT -> healthy": "3,000",
  "model pulled -> updated": "35,000",
} as const;
type Turn = keyof typeof aims;
/** Times in ms; null where the watcher did not say so in time. */
type Times = Readonly<Record<Turn, number | null>>;

export const turns: Section<Options> = {
  name: "turns",
  measures: "how soon a list says that a server died, returned, froze, goes on, has another model",
  quick: true,
  async run({ repeat }) {
    const all: Times[] = [];
    for (let left = repeat; left > 0; left -= maxMachines) {
      await using fleet = await openFleet(Math.min(left, maxMachines));
      all.push(...(await Promise.all(fleet.machines.map((machine) => play(fleet, machine)))));
    }
    const rows = (Object.keys(aims) as Turn[]).map((turn) => [
      turn,
      aims[turn],
      figure(
        "ms",
        all.map((times) => times[turn]),
      ),
    ]);
    return [
      {
        title: "Turns of a server, ms",
        head: ["", "aim", "median (minimum-maximum)"],
        rows,
        notes: [
          "`lmserv announce` on each machine, `lmserv discover --watch --json` on another, mDNS alone.",
          "The clock starts with the signal, with the server's line that it listens, with the model, and stops with the watcher's line.",
        ],
      },
    ];
  },
};

async function play(fleet: Fleet, { host, server }: Machine): Promise<Times> {
  await pause();
  const down = await timed(fleet, { host, server }, isDown, () => server.process.kill("SIGKILL"));
  await pause();
  const machine = { host, server: await startServer(host, [port]) };
  const up = await timed(fleet, machine, isUp, () => {});
  await fleet.sees(machine, isHealthy, 0, missedMs);
  await pause();
  const silent = await timed(fleet, machine, isSilent, () => machine.server.process.kill("SIGSTOP"));
  await pause();
  const healthy = await timed(fleet, machine, isHealthy, () => machine.server.process.kill("SIGCONT"));
  await delay(Math.random() * listsMs);
  const hasModel = ({ models }: WatchEvent): boolean => models.includes("pulled");
  const updated = await timed(fleet, machine, hasModel, () => machine.server.pull("pulled"));
  return {
    "SIGKILL of a server -> down": down,
    "its return -> up": up,
    "SIGSTOP -> silent": silent,
    "SIGCONT -> healthy": healthy,
    "model pulled -> updated": updated,
  };
}

/** Time from a deed to the first event that fits, in ms. */
async function timed(
  { sees }: Fleet,
  machine: Machine,
  fits: (event: WatchEvent) => boolean,
  act: () => void,
): Promise<number | null> {
  const startMs = performance.now();
  act();
  const seen = await sees(machine, fits, startMs, missedMs);
  return seen && seen.atMs - startMs;
}

function pause(): Promise<void> {
  return delay(Math.random() * maxPauseMs);
}
