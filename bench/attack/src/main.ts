import { runCommand } from "@lmserv/bench-mdns/command";
import { figure } from "@lmserv/bench-mdns/figure";
import { formatTable, type Table } from "@lmserv/bench-mdns/table";
import { type Options, parseOptions, usage } from "./options.ts";
import { type Announcing, announcing, Site } from "./site.ts";

interface Attack {
  readonly name: string;
  readonly frames: number;
  readonly perSecond: number;
  readonly sources: number;
  /** Whether each frame says that it is one of the nodes that are there. */
  readonly isNamesake: boolean;
}

interface Outcome {
  readonly attack: Attack;
  readonly departures: readonly string[];
  readonly moves: readonly string[];
  /** From the start of the announcing process to the list, in ms; null when it took too long. */
  readonly newcomers: Readonly<Record<Announcing, readonly (number | null)[]>>;
  readonly events: number;
}

/** Newcomers that are not listed within this time count as missed. */
const newcomerMs = 60_000;
const firstPort = 8_000;

process.exitCode = await runCommand({ parse: parseOptions, help: usage, measure });

async function measure({ seconds }: Options): Promise<void> {
  const steady = { frames: 200 * seconds, perSecond: 200, sources: 1 };
  const burst = { frames: 20_000, perSecond: 20_000, sources: 3_000 };
  const attacks: readonly Attack[] = [
    { name: "none", frames: 0, perSecond: 1, sources: 1, isNamesake: false },
    { name: `200 nodes a second for ${seconds} s`, ...steady, isNamesake: false },
    { name: `200 namesakes a second for ${seconds} s`, ...steady, isNamesake: true },
    { name: "20,000 nodes at once from 3,000 sources", ...burst, isNamesake: false },
    { name: "20,000 namesakes at once from 3,000 sources", ...burst, isNamesake: true },
  ];
  const outcomes: Outcome[] = [];
  for (const attack of attacks) {
    process.stderr.write(`${attack.name}\n`);
    outcomes.push(await suffer(attack));
  }
  process.stdout.write(`${formatTable(tableOf(outcomes))}\n`);
  for (const { attack, departures, moves } of outcomes) {
    for (const line of [...departures, ...moves]) process.stderr.write(`${attack.name}: ${line}\n`);
  }
}

/** Nodes stand on each transport, the attack begins, and newcomers come while it goes on. */
async function suffer(attack: Attack): Promise<Outcome> {
  await using site = await Site.open();
  const nodes = await site.watch((info) => info.startsWith("honest-"));
  const residents = announcing.map((transport) => `honest-${transport}`);
  for (const [index, transport] of announcing.entries()) {
    await site.announce(transport, firstPort + index, `honest-${transport}`, false);
  }
  const missing = await nodes.until(residents, newcomerMs);
  if (missing.length > 0) throw new Error(`${missing} are not listed before the attack`);
  const ids = attack.isNamesake ? residents.flatMap((info) => nodes.idOf(info) ?? []) : [];
  const newcomers: Record<Announcing, (number | null)[]> = { mdns: [], mesh: [], etcd: [] };
  let isOver = attack.frames === 0;
  const flooding = site.flood(attack.frames, attack.perSecond, attack.sources, ids).finally(() => {
    isOver = true;
  });
  let round = 0;
  do {
    round += 1;
    for (const [index, transport] of announcing.entries()) {
      const info = `honest-${transport}-${round}`;
      const port = firstPort + 10 * round + index;
      const announcer = await site.announce(transport, port, info, true);
      const startMs = performance.now();
      const late = await nodes.until([info], newcomerMs);
      newcomers[transport].push(late.length > 0 ? null : performance.now() - startMs);
      announcer.kill("SIGKILL");
      await announcer.exited;
    }
  } while (!isOver && round < 20);
  await flooding;
  const isResident = (line: string): boolean => residents.includes(line.split(":")[0] ?? "");
  return {
    attack,
    departures: nodes.departures.filter(isResident),
    moves: nodes.moves.filter(isResident),
    newcomers,
    events: nodes.events,
  };
}

function tableOf(outcomes: readonly Outcome[]): Table {
  return {
    title: "Honest nodes under attack",
    head: ["attack", "left", "moved", "newcomer mDNS, ms", "mesh, ms", "etcd, ms", "events"],
    rows: outcomes.map(({ attack, departures, moves, newcomers, events }) => [
      attack.name,
      `${departures.length} of ${announcing.length}`,
      `${moves.length} of ${announcing.length}`,
      ...announcing.map((transport) => figure("ms", newcomers[transport])),
      `${events}`,
    ]),
    notes: [
      "`left` and `moved` count nodes that stood before the attack and are there all the time.",
      "A newcomer's time begins when its announcer has said it; it is killed without a goodbye after that.",
    ],
  };
}
