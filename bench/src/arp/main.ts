import { accessSync, constants } from "node:fs";
import { writeFile } from "node:fs/promises";
import { runCommand } from "../harness/command.ts";
import { figure } from "../harness/figure.ts";
import { rounds } from "../harness/order.ts";
import { formatTable, type Table } from "../harness/table.ts";
import { type Contender, contenders } from "./contender.ts";
import { type Options, parseOptions, usage } from "./options.ts";
import { openSite, type Site, servers } from "./site.ts";

/** nmap and fping as they come take ten seconds; what takes this long hangs. */
const maxRunMs = 60_000;

process.exitCode = await runCommand({ parse: parseOptions, help: usage, measure });

async function measure({ repeat, json }: Options): Promise<void> {
  const all = contenders(servers);
  const present = all.filter(({ command: [program] }) => hasProgram(program));
  const runs = new Map<Contender, Run[]>(present.map((contender) => [contender, []]));
  await using site = await openSite();
  for (const { item, round } of rounds(present, repeat)) {
    process.stderr.write(`round ${round + 1} of ${repeat}: ${item.name}\n`);
    runs.get(item)?.push(await time(site, item));
  }
  process.stdout.write(`${formatTable(tableOf(all, runs))}\n`);
  if (json !== undefined) {
    const samples = present.map((contender) => ({ ...contender, runs: runs.get(contender) }));
    await writeFile(json, `${JSON.stringify({ node: process.version, repeat, samples }, null, 2)}\n`);
  }
}

interface Run {
  /** From the start of the process to its end. */
  readonly ms: number;
  readonly found: number;
}

async function time({ seeker, forget }: Site, { command, count }: Contender): Promise<Run> {
  await forget();
  const startMs = performance.now();
  const { stdout } = await seeker.run(command, { timeoutMs: maxRunMs });
  return { ms: performance.now() - startMs, found: count(stdout) };
}

function tableOf(all: readonly Contender[], runs: ReadonlyMap<Contender, readonly Run[]>): Table {
  return {
    title: "A /24 with ten hosts, three of them with an LLM server, ms",
    head: ["", "command", "process start to end", "found"],
    rows: all.map((contender) => {
      const own = runs.get(contender);
      if (!own) return [contender.name, `\`${contender.shown}\``, "not installed", "-"];
      const counts = [...new Set(own.map(({ found }) => found))].sort((a, b) => a - b);
      return [
        contender.name,
        `\`${contender.shown}\``,
        figure(
          "ms",
          own.map(({ ms }) => ms),
        ),
        `${counts.join(" or ")} ${contender.finds}`,
      ];
    }),
    notes: ["The table of neighbours is empty at each start. Turns are in random order."],
  };
}

function hasProgram(name: string): boolean {
  if (name.startsWith("/")) return true;
  const folders = ["/usr/local/sbin", "/usr/sbin", "/sbin", ...(process.env.PATH ?? "").split(":")];
  return folders.some((folder) => {
    try {
      accessSync(`${folder}/${name}`, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
