import { writeFile } from "node:fs/promises";
import { lanSupport } from "@lmserv/test-net";
import { type Options, parseOptions, usage } from "./options.ts";
import type { Section } from "./section.ts";
import { announce } from "./sections/announce.ts";
import { beside, browse } from "./sections/browse.ts";
import { idle } from "./sections/idle.ts";
import { leave } from "./sections/leave.ts";
import { loss } from "./sections/loss.ts";
import { memory } from "./sections/memory.ts";
import { formatTable, type Table } from "./table.ts";

const sections: readonly Section[] = [browse, beside, announce, leave, idle, memory, loss];

process.exitCode = await main(process.argv.slice(2));

/** Exit code: 0 measured, 1 cannot measure here, 2 usage. */
async function main(args: readonly string[]): Promise<number> {
  const plan = planned(args);
  if (typeof plan === "string") {
    process.stderr.write(`${plan}\n`);
    return 2;
  }
  if (plan !== null) return await measure(plan.sections, plan.options);
  const list = sections.map(({ name, measures }) => `  ${name.padEnd(14)}  ${measures}`);
  process.stdout.write(`${[usage, "Sections:", ...list].join("\n")}\n`);
  return 0;
}

interface Plan {
  readonly options: Options;
  readonly sections: readonly Section[];
}

/** What the command line asks for: null for help, or what is wrong with it. */
function planned(args: readonly string[]): Plan | string | null {
  try {
    const options = parseOptions(args);
    return options && { options, sections: chosen(options) };
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError) return error.message;
    throw error;
  }
}

function chosen({ sections: names, full }: Options): readonly Section[] {
  if (names.length === 0) return sections.filter(({ quick }) => full || quick);
  return names.map((name) => {
    const section = sections.find((candidate) => candidate.name === name);
    if (section) return section;
    const allowed = sections.map((candidate) => candidate.name).join(", ");
    throw new RangeError(`section ${JSON.stringify(name)} must be one of ${allowed}`);
  });
}

async function measure(chosenSections: readonly Section[], options: Options): Promise<number> {
  const support = await lanSupport();
  if (!support.available) {
    process.stderr.write(`No LAN can be made here: ${support.reason}\n`);
    return 1;
  }
  const results: Record<string, readonly Table[]> = {};
  for (const section of chosenSections) {
    process.stderr.write(`measuring ${section.measures}\n`);
    const tables = await section.run(options);
    results[section.name] = tables;
    for (const table of tables) process.stdout.write(`${formatTable(table)}\n`);
  }
  if (options.json !== undefined) {
    const document = { node: process.version, options, results };
    await writeFile(options.json, `${JSON.stringify(document, null, 2)}\n`);
  }
  return 0;
}
