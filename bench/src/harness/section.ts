import { writeFile } from "node:fs/promises";
import { runCommand } from "./command.ts";
import { formatTable, type Table } from "./table.ts";

/** A part of a benchmark that can be chosen by name. */
export interface Section<Options> {
  readonly name: string;
  /** Ends the sentence "measures ...". */
  readonly measures: string;
  /** True to run it when no section is chosen. */
  readonly quick: boolean;
  readonly run: (options: Options) => Promise<readonly Table[]>;
}

/** Options that every benchmark of several sections has. */
export interface SectionOptions {
  /** Names of the chosen sections; empty for the quick ones. */
  readonly sections: readonly string[];
  /** True to include measurements that take minutes. */
  readonly full: boolean;
  /** File for the samples, as JSON. */
  readonly json: string | undefined;
}

/** A benchmark of several sections as a command. */
export interface SectionsCommand<Options> {
  readonly sections: readonly Section<Options>[];
  readonly usage: string;
  /**
   * Null when help is asked for.
   *
   * @throws {RangeError | TypeError} for what the command line must not hold.
   */
  readonly parse: (args: readonly string[]) => Options | null;
}

interface Plan<Options> {
  readonly options: Options;
  readonly sections: readonly Section<Options>[];
}

/** Measures the chosen sections and prints their tables; resolves with the exit code. */
export function runSections<Options extends SectionOptions>({
  sections,
  usage,
  parse,
}: SectionsCommand<Options>): Promise<number> {
  const list = sections.map(({ name, measures }) => `  ${name.padEnd(14)}  ${measures}`);
  return runCommand<Plan<Options>>({
    parse(args) {
      const options = parse(args);
      return options && { options, sections: chosen(sections, options) };
    },
    help: `${[usage, "Sections:", ...list].join("\n")}\n`,
    measure,
  });
}

function chosen<Options>(
  sections: readonly Section<Options>[],
  { sections: names, full }: SectionOptions,
): readonly Section<Options>[] {
  if (names.length === 0) return sections.filter(({ quick }) => full || quick);
  return names.map((name) => {
    const section = sections.find((candidate) => candidate.name === name);
    if (section) return section;
    const allowed = sections.map((candidate) => candidate.name).join(", ");
    throw new RangeError(`section ${JSON.stringify(name)} must be one of ${allowed}`);
  });
}

async function measure<Options extends SectionOptions>({ options, sections }: Plan<Options>): Promise<void> {
  const results: Record<string, readonly Table[]> = {};
  for (const section of sections) {
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
