import { parseArgs } from "node:util";
import { integerOption } from "../harness/command.ts";
import type { SectionOptions } from "../harness/section.ts";

export interface Options extends SectionOptions {
  /** Requests through each proxy, in turns. */
  readonly rounds: number;
  /** Duration of counting requests through each proxy. */
  readonly seconds: number;
  /** Streams that are open at once. */
  readonly streams: number;
  /** Nodes of the LAN on which `lmserv up` has nothing to do. */
  readonly nodes: number;
  /** Duration of each look at it. */
  readonly idleS: number;
}

export const usage: string = `Usage: npm run bench:gateway -- [SECTION...] [OPTION...]
  --rounds N    requests through each proxy, in turns (60)
  --seconds N   how long requests are counted through each proxy (5)
  --streams N   streams that are open at once (200)
  --nodes N     nodes of the LAN on which lmserv up has nothing to do (20)
  --idle N      how long it is looked at, in seconds, twice (60)
  --json FILE   writes every sample to FILE
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
      rounds: { type: "string", default: "60" },
      seconds: { type: "string", default: "5" },
      streams: { type: "string", default: "200" },
      nodes: { type: "string", default: "20" },
      idle: { type: "string", default: "60" },
      json: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return null;
  return {
    sections: positionals,
    full: false,
    json: values.json,
    rounds: integerOption("rounds", values.rounds, 10, 10_000),
    seconds: integerOption("seconds", values.seconds, 1, 600),
    streams: integerOption("streams", values.streams, 1, 1_000),
    nodes: integerOption("nodes", values.nodes, 1, 50),
    idleS: integerOption("idle", values.idle, 10, 3_600),
  };
}
