import { runSections, type Section } from "../harness/section.ts";
import { type Options, parseOptions, usage } from "./options.ts";
import { cut } from "./sections/cut.ts";
import { load } from "./sections/load.ts";
import { loss } from "./sections/loss.ts";
import { turns } from "./sections/turns.ts";

const sections: readonly Section<Options>[] = [turns, cut, loss, load];

process.exitCode = await runSections({ sections, usage, parse: parseOptions });
