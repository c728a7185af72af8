import { runSections, type Section } from "../harness/section.ts";
import { type Options, parseOptions, usage } from "./options.ts";
import { announce } from "./sections/announce.ts";
import { beside, browse } from "./sections/browse.ts";
import { first } from "./sections/first.ts";
import { idle } from "./sections/idle.ts";
import { leave } from "./sections/leave.ts";
import { loss } from "./sections/loss.ts";
import { memory } from "./sections/memory.ts";

const sections: readonly Section<Options>[] = [browse, beside, first, announce, leave, idle, memory, loss];

process.exitCode = await runSections({ sections, usage, parse: parseOptions });
