import { setTimeout as sleep } from "node:timers/promises";
import { runCommand } from "../harness/command.ts";
import { figure } from "../harness/figure.ts";
import { formatTable, type Table } from "../harness/table.ts";
import { type Options, parseOptions, usage } from "./options.ts";
import { type Flood, Site, type Transport, transports } from "./site.ts";

interface Attack {
  readonly name: string;
  /** Resolves when it is over; null for none. @param ids - Of the nodes that stand. */
  readonly run: ((site: Site, ids: readonly string[]) => Promise<void>) | null;
}

interface Outcome {
  readonly attack: Attack;
  readonly departures: readonly string[];
  readonly moves: readonly string[];
  /** From the start of the announcing process to the list, in ms; null when it took too long. */
  readonly newcomers: Readonly<Record<Transport, readonly (number | null)[]>>;
  readonly events: number;
}

/** Newcomers that are not listed within this time count as missed. */
const newcomerMs = 20_000;

process.exitCode = await runCommand({ parse: parseOptions, help: usage, measure });

async function measure({ seconds, only }: Options): Promise<void> {
  const outcomes: Outcome[] = [];
  for (const attack of attacksOf(seconds)) {
    if (!attack.name.includes(only)) continue;
    process.stderr.write(`${attack.name}\n`);
    outcomes.push(await suffer(attack));
  }
  process.stdout.write(`${formatTable(tableOf(outcomes))}\n`);
  for (const { attack, departures, moves } of outcomes) {
    for (const line of [...departures, ...moves]) process.stderr.write(`${attack.name}: ${line}\n`);
  }
}

function attacksOf(seconds: number): readonly Attack[] {
  const steady: Flood = { count: 200 * seconds, perSecond: 200, sources: 1 };
  const burst: Flood = { count: 20_000, perSecond: 20_000, sources: 3_000 };
  const many = { ...steady, sources: 3_000 };
  return [
    { name: "none", run: null },
    { name: `mDNS: 200 nodes a second for ${seconds} s`, run: (site) => site.floodMdns(steady, []) },
    {
      name: `mDNS: 200 namesakes a second for ${seconds} s`,
      run: (site, ids) => site.floodMdns(steady, ids),
    },
    { name: "mDNS: 20,000 nodes at once from 3,000 sources", run: (site) => site.floodMdns(burst, []) },
    {
      name: "mDNS: 20,000 namesakes at once from 3,000 sources",
      run: (site, ids) => site.floodMdns(burst, ids),
    },
    { name: `ARP: 200 neighbors a second for ${seconds} s`, run: (site) => site.floodNeighbors(many) },
    { name: "ARP: 20,000 frames at once of 3,000 neighbors", run: (site) => site.floodNeighbors(burst) },
    {
      name: "ARP: 2,048 servers of one host",
      run: async (site) => {
        await site.serveMany(16);
        await sleep(seconds * 1_000);
      },
    },
    { name: `NATS: 200 nodes a second for ${seconds} s`, run: (site) => site.floodNats(many, false) },
    {
      name: `NATS: 200 values a second over others' for ${seconds} s`,
      run: (site) => site.floodNats(many, true),
    },
    { name: "NATS: 20,000 nodes at once of 3,000 members", run: (site) => site.floodNats(burst, false) },
  ];
}

/** Nodes stand on each transport, the attack begins, and newcomers come while it goes on. */
async function suffer(attack: Attack): Promise<Outcome> {
  await using site = await Site.open();
  const nodes = await site.watch((info) => info.startsWith("honest-"));
  const residents = transports.map((transport) => `honest-${transport}`);
  for (const transport of transports) await site.appear(transport, 0, `honest-${transport}`);
  const missing = await nodes.until(residents, newcomerMs);
  if (missing.length > 0) throw new Error(`${missing} are not listed before the attack`);
  const ids = residents.flatMap((info) => nodes.idOf(info) ?? []);
  const newcomers: Record<Transport, (number | null)[]> = { mdns: [], mesh: [], etcd: [], nats: [], arp: [] };
  let isOver = attack.run === null;
  const attacking = attack.run?.(site, ids).finally(() => {
    isOver = true;
  });
  let round = 0;
  do {
    round += 1;
    for (const transport of transports) {
      const info = `honest-${transport}-${round}`;
      const newcomer = await site.appear(transport, round, info);
      const startMs = performance.now();
      const late = await nodes.until([info], newcomerMs);
      newcomers[transport].push(late.length > 0 ? null : performance.now() - startMs);
      newcomer.kill("SIGKILL");
      await newcomer.exited;
    }
  } while (!isOver && round < 20);
  await attacking;
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
    head: [
      "attack",
      "left",
      "moved",
      "newcomer mDNS, ms",
      "mesh, ms",
      "etcd, ms",
      "NATS, ms",
      "ARP, ms",
      "events",
    ],
    rows: outcomes.map(({ attack, departures, moves, newcomers, events }) => [
      attack.name,
      `${departures.length} of ${transports.length}`,
      `${moves.length} of ${transports.length}`,
      ...transports.map((transport) => figure("ms", newcomers[transport])),
      `${events}`,
    ]),
    notes: [
      "`left` and `moved` count nodes that stood before the attack and are there all the time.",
      "A newcomer's time begins when its announcer has said it; it is killed without a goodbye after that.",
    ],
  };
}
