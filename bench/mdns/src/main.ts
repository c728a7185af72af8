import { writeFile } from "node:fs/promises";
import { runCommand } from "./command.ts";
import { type Options, parseOptions, usage } from "./options.ts";
import type { Section } from "./section.ts";
import { announce } from "./sections/announce.ts";
import { beside, browse } from "./sections/browse.ts";
import { first } from "./sections/first.ts";
import { idle } from "./sections/idle.ts";
import { leave } from "./sections/leave.ts";
import { loss } from "./sections/loss.ts";
import { memory } from "./sections/memory.ts";
import { formatTable, type Table } from "./table.ts";

const sections: readonly Section[] = [browse, beside, first, announce, leave, idle, memory, loss];

interface Plan {
  readonly options: Options;
  readonly sections: readonly Section[];
}

const list = sections.map(({ name, measures }) => `  ${name.padEnd(14)}  ${measures}`);

process.exitCode = await runCommand<Plan>({
  parse(args) {
    const options = parseOptions(args);
    return options && { options, sections: chosen(options) };
  },
  help: `${[usage, "Sections:", ...list].join("\n")}\n`,
  measure,
});

function chosen({ sections: names, full }: Options): readonly Section[] {
  if (names.length === 0) return sections.filter(({ quick }) => full || quick);
  return names.map((name) => {
    const section = sections.find((candidate) => candidate.name === name);
    if (section) return section;
    const allowed = sections.map((candidate) => candidate.name).join(", ");
    throw new RangeError(`section ${JSON.stringify(name)} must be one of ${allowed}`);
  });
}

async function measure({ options, sections: chosenSections }: Plan): Promise<void> {
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
}
