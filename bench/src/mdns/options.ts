import { parseArgs } from "node:util";
import { integerOption } from "../harness/command.ts";
import type { SectionOptions } from "../harness/section.ts";

export interface Options extends SectionOptions {
  /** Measurements per figure where there is time for many. */
  readonly repeat: number;
  /** Sizes of the LANs that are measured idle. */
  readonly hosts: readonly number[];
  readonly idleS: number;
  readonly lossS: number;
}

export const usage = `Usage: npm run bench -- [SECTION...] [OPTION...]
  --repeat N      measurements per figure of browse and announce (20)
  --full          what takes minutes too: crashes, idle cost, loss
  --hosts N,...   sizes of the idle LANs (10; with --full 10,50)
  --idle SECONDS  how long the idle cost is counted, after 30 s (120)
  --loss SECONDS  how long frames are lost (600)
  --json FILE     writes every sample to FILE
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
      repeat: { type: "string", default: "20" },
      full: { type: "boolean", default: false },
      json: { type: "string" },
      hosts: { type: "string" },
      idle: { type: "string", default: "120" },
      loss: { type: "string", default: "600" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return null;
  return {
    sections: positionals,
    repeat: count("repeat", values.repeat, 10_000),
    full: values.full,
    json: values.json,
    hosts: (values.hosts ?? (values.full ? "10,50" : "10")).split(",").map((one) => count("hosts", one, 240)),
    idleS: count("idle", values.idle, 86_400),
    lossS: count("loss", values.loss, 86_400),
  };
}

function count(option: string, text: string, max: number): number {
  return integerOption(option, text, 1, max);
}
