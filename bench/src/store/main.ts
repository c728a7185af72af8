import { readFile, writeFile } from "node:fs/promises";
import { runCommand } from "../harness/command.ts";
import { formatTable, type Table } from "../harness/table.ts";
import { draw } from "./drawing.ts";
import { estimate, growthOf } from "./growth.ts";
import { type Options, parseOptions, usage } from "./options.ts";
import { storeNames } from "./store.ts";
import { measureStore, type StoreRun } from "./store-run.ts";

/** Fleets that are estimated only. */
const onPaper = [
  { nodes: 10_000, watchers: 50 },
  { nodes: 10_000, watchers: 10_000 },
  { nodes: 100_000, watchers: 50 },
  { nodes: 100_000, watchers: 100_000 },
];
const paperLifetimeMs = 60_000;

process.exitCode = await runCommand({ parse: parseOptions, help: usage, measure });

async function measure(options: Options): Promise<void> {
  const runs = await earlier(options.json);
  for (const nodes of options.nodes) {
    for (const store of options.stores) {
      process.stderr.write(`measuring ${store}, ${nodes} nodes, ${options.watchers} watchers\n`);
      runs.set(`${store} ${nodes}`, await measureStore(store, nodes, options));
      if (options.json !== undefined)
        await writeFile(options.json, `${JSON.stringify([...runs.values()], null, 2)}\n`);
    }
  }
  const all = [...runs.values()].sort((a, b) => a.nodes - b.nodes || a.store.localeCompare(b.store));
  for (const table of tablesOf(all)) process.stdout.write(`${formatTable(table)}\n`);
  if (options.svg !== undefined) await writeFile(options.svg, draw(all));
}

async function earlier(file: string | undefined): Promise<Map<string, StoreRun>> {
  const text = file === undefined ? null : await readFile(file, "utf8").catch(() => null);
  const runs: readonly StoreRun[] = text === null ? [] : JSON.parse(text);
  return new Map(runs.map((run) => [`${run.store} ${run.nodes}`, run]));
}

function tablesOf(runs: readonly StoreRun[]): readonly Table[] {
  return [
    {
      title: "Coming and going, ms",
      head: [
        "nodes",
        "store",
        "all nodes at once -> known by all",
        "new node -> known by all",
        "leave -> dropped by all",
        "SIGKILL -> dropped by all",
      ],
      rows: runs.map(({ nodes, store, filled, known, left, crashed }) => [
        `${nodes}`,
        store,
        filled === null ? "-" : shown(filled),
        known,
        left,
        crashed,
      ]),
      notes: [
        "By all: by the last of the watching sessions. The clock starts with the call of `announce`, or with the signal.",
      ],
    },
    {
      title: "What the server bears while nothing happens",
      head: [
        "nodes",
        "store",
        "CPU, % of a core",
        "resident MB",
        "bytes a node and second",
        "kB a second in all",
        "false departures",
        "warnings",
      ],
      rows: runs.map(({ nodes, store, cpu, rss, bytesPerNode, wronged, warnings }) => [
        `${nodes}`,
        store,
        shown(cpu),
        shown(rss),
        shown(bytesPerNode),
        shown((bytesPerNode * nodes) / 1_000),
        `${wronged}`,
        `${warnings.length}`,
      ]),
      notes: [
        "Bytes: all that went over the loopback of the namespace, in both directions, TCP and IP headers with it.",
      ],
    },
    growthTable(runs),
    estimateTable(runs),
  ];
}

function growthTable(runs: readonly StoreRun[]): Table {
  const exponent = (of: readonly StoreRun[], value: (run: StoreRun) => number): string => {
    const growth = growthOf(of.map((run) => [run.nodes, value(run)]));
    return growth === null ? "-" : `N^${growth.exponent.toFixed(2)}`;
  };
  return {
    title: "Growth with N nodes, the watchers being the same",
    head: ["store", "CPU", "bytes", "memory"],
    rows: storeNames.map((store) => {
      const of = runs.filter((run) => run.store === store);
      return [
        store,
        exponent(of, ({ cpu }) => cpu),
        exponent(of, ({ bytesPerNode, nodes }) => bytesPerNode * nodes),
        exponent(of, ({ rss }) => rss),
      ];
    }),
    notes: ["The line of least squares through the logarithms."],
  };
}

function estimateTable(runs: readonly StoreRun[]): Table {
  const largest = storeNames.flatMap((store) => runs.filter((run) => run.store === store).slice(-1));
  return {
    title: "On paper, with a lifetime of 60 s",
    head: ["nodes", "watchers", ...largest.flatMap(({ store }) => [`${store}: cores`, `${store}: MB/s`])],
    rows: onPaper.map(({ nodes, watchers }) => [
      nodes.toLocaleString("en"),
      watchers.toLocaleString("en"),
      ...largest.flatMap((run) => {
        const { cores, megabytesPerS } = estimate(run, nodes, watchers, paperLifetimeMs);
        return [shown(cores), shown(megabytesPerS)];
      }),
    ]),
    notes: [
      "From the largest run of each: renewals for etcd, renewals times watchers for NATS. Nobody ran these.",
    ],
  };
}

function shown(value: number): string {
  return value.toLocaleString("en", { maximumFractionDigits: Math.abs(value) < 10 ? 2 : 0 });
}
