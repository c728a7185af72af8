import { writeFile } from "node:fs/promises";
import { formatTable, type Table } from "@lmserv/bench-mdns/table";
import { lanSupport } from "@lmserv/test-net";
import { type MeshRun, measureMesh } from "./mesh-run.ts";
import { type Options, parseOptions, usage } from "./options.ts";

process.exitCode = await main(process.argv.slice(2));

/** Exit code: 0 measured, 1 cannot measure here, 2 usage. */
async function main(args: readonly string[]): Promise<number> {
  let options: Options | null;
  try {
    options = parseOptions(args);
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 2;
  }
  if (options) return await measure(options);
  process.stdout.write(usage);
  return 0;
}

async function measure(options: Options): Promise<number> {
  const support = await lanSupport();
  if (!support.available) {
    process.stderr.write(`No LAN can be made here: ${support.reason}\n`);
    return 1;
  }
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
  return 0;
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
        "leave -> dropped by all",
      ],
      rows: runs.map(({ count, peer, join, spread, crash, leave }) => [
        `${count}`,
        peer,
        join,
        spread,
        crash,
        leave,
      ]),
      notes: [
        "The clock starts with the newcomer's first line of output, or with the signal; the last member counts.",
      ],
    },
    {
      title: "Idle cost of a member",
      head: ["members", "peer", "bytes sent per second", "CPU, % of a core", "resident MB"],
      rows: runs.map(({ count, peer, sentPerS, cpu, rss }) => [`${count}`, peer, sentPerS, cpu, rss]),
      notes: [
        `Counted for ${idleS} s. Bytes: Ethernet frames that left the host. CPU: all threads, from the scheduler.`,
      ],
    },
  ];
}
