import { runSections, type Section } from "../harness/section.ts";
import { type Options, parseOptions, usage } from "./options.ts";
import { cancellation } from "./sections/cancellation.ts";
import { idle } from "./sections/idle.ts";
import { latency } from "./sections/latency.ts";
import { memory } from "./sections/memory.ts";
import { rate } from "./sections/rate.ts";

const sections: readonly Section<Options>[] = [latency, rate, memory, cancellation, idle];

process.exitCode = await runSections({ sections, usage, parse: parseOptions });
