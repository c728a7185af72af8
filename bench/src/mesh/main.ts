import { writeFile } from "node:fs/promises";
import { runCommand } from "../harness/command.ts";
import { formatTable, type Table } from "../harness/table.ts";
import { type MeshRun, measureMesh } from "./mesh-run.ts";
import { type Options, parseOptions, usage } from "./options.ts";

process.exitCode = await runCommand({ parse: parseOptions, help: usage, measure });

async function measure(options: Options): Promise<void> {
  const runs: MeshRun[] = [];
  for (const count of options.members) {
    for (const peer of options.peers) {
      process.stderr.write(`measuring ${peer}, ${count} members\n`);
      runs.push(await measureMesh(peer, count, options));
    }
  }
  for (const table of tablesOf(runs, options)) process.stdout.write(`${formatTable(table)}\n`);
  if (options.json !== undefined) {
    await writeFile(options.json, `${JSON.stringify({ node: process.version, options, runs }, null, 2)}\n`);
  }
}

function tablesOf(runs: readonly MeshRun[], { idleS }: Options): readonly Table[] {
  return [
    {
      title: "Joining and going, ms",
      head: [
        "members",
        "peer",
        "join -> listed by all",
        "first -> last",
        "SIGKILL -> dropped by all",
        "host cut off -> dropped by all",
        "leave -> dropped by all",
        "start -> whole",
      ],
      rows: runs.map(({ count, crowd, peer, join, spread, crash, silence, leave, whole }) => [
        sizeOf(count, crowd),
        peer,
        join,
        spread,
        crash,
        silence,
        leave,
        whole,
      ]),
      notes: [
        "The clock starts with the newcomer's first line of output, with the signal, or with the cut; the last member counts.",
        "Whole: from the start of the first process, of which others follow one by one, until everybody lists everybody.",
      ],
    },
    {
      title: "Idle cost of a member",
      head: [
        "members",
        "peer",
        "bytes sent per second",
        "CPU, % of a core",
        "resident MB",
        "machine busy, %",
      ],
      rows: runs.map(({ count, crowd, peer, sentPerS, cpu, rss, busy }) => [
        sizeOf(count, crowd),
        peer,
        sentPerS,
        cpu,
        rss,
        busy,
      ]),
      notes: [
        `Counted for ${idleS} s. Bytes: Ethernet frames that left the host. CPU: all threads, from the scheduler.`,
        "Of a crowd, which is one process, nothing is counted. The machine: all cores, whoever used them.",
      ],
    },
  ];
}

function sizeOf(count: number, crowd: number): string {
  return crowd > 0 ? `${count} and a crowd of ${crowd}` : `${count}`;
}
