import { parseArgs } from "node:util";
import { integerOption } from "../harness/command.ts";
import type { SectionOptions } from "../harness/section.ts";

/** Count of nodes and duration of their checks. */
export interface Load {
  readonly nodes: number;
  readonly seconds: number;
}

export interface Options extends SectionOptions {
  /** Machines whose server is killed, stopped and so on, and as many that are cut off. */
  readonly repeat: number;
  /** Hosts of the LAN that loses frames. */
  readonly hosts: number;
  readonly lossS: number;
  readonly loads: readonly Load[];
}

export const usage: string = `Usage: npm run bench:health -- [SECTION...] [OPTION...]
  --repeat N           machines whose server is killed, stopped and so on, and as many that are cut off (10)
  --full               the long times: loss of 600 s, load of 100:600,1000:120
  --hosts N            hosts of the LAN that loses frames (20)
  --loss SECONDS       how long frames are lost (60)
  --load N:SECONDS,... how many nodes are checked, and how long (100:60,1000:30)
  --json FILE          writes every sample to FILE
  --help`;

/**
 * Reads the command line; null when help is asked for.
 *
 * @throws {RangeError | TypeError} that names the value and what is allowed.
 */
export function parseOptions(args: readonly string[]): Options | null {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      repeat: { type: "string", default: "10" },
      full: { type: "boolean", default: false },
      hosts: { type: "string", default: "20" },
      loss: { type: "string" },
      load: { type: "string" },
      json: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return null;
  const { full } = values;
  return {
    sections: positionals,
    full,
    json: values.json,
    repeat: integerOption("repeat", values.repeat, 1, 100),
    hosts: integerOption("hosts", values.hosts, 2, 30),
    lossS: integerOption("loss", values.loss ?? (full ? "600" : "60"), 1, 86_400),
    loads: (values.load ?? (full ? "100:600,1000:120" : "100:60,1000:30")).split(",").map(loadOf),
  };
}

function loadOf(text: string): Load {
  const [nodes = "", seconds = ""] = text.split(":");
  return {
    nodes: integerOption("load", nodes, 1, 1_000),
    seconds: integerOption("load", seconds, 1, 86_400),
  };
}
