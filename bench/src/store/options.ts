import { parseArgs } from "node:util";
import { integerOption } from "../harness/command.ts";
import { type StoreName, storeNames } from "./store.ts";

export interface Options {
  /** Sizes of the fleets. */
  readonly nodes: readonly number[];
  readonly stores: readonly StoreName[];
  /** Sessions that watch. */
  readonly watchers: number;
  readonly lifetimeS: number;
  /** Departures and crashes, of each so many; twice as many arrivals. */
  readonly repeat: number;
  readonly idleS: number;
  /** File for the figures, as JSON; those of an earlier run in it are shown with the new ones. */
  readonly json: string | undefined;
  /** File for the drawing. */
  readonly svg: string | undefined;
}

export const usage: string = `Usage: npm run bench:store -- [OPTION...]
  --nodes N,...       sizes of the fleets (100,500,1000,2000)
  --stores E,...     of ${storeNames.join(", ")} (all); none to draw what is in the file of --json
  --watchers N        sessions that watch (50)
  --lifetime SECONDS  how long a silent node stays listed (30)
  --repeat N          departures and crashes, of each so many (5)
  --idle SECONDS      how long the idle cost is counted (30)
  --json FILE         adds the figures to FILE, and shows all that are in it
  --svg FILE          draws the growth
  --help
`;

/**
 * Reads the command line; null when help is asked for.
 *
 * @throws {RangeError | TypeError} that names the value and what is allowed.
 */
export function parseOptions(args: readonly string[]): Options | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      nodes: { type: "string", default: "100,500,1000,2000" },
      stores: { type: "string", default: storeNames.join(",") },
      watchers: { type: "string", default: "50" },
      lifetime: { type: "string", default: "30" },
      repeat: { type: "string", default: "5" },
      idle: { type: "string", default: "30" },
      json: { type: "string" },
      svg: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return null;
  return {
    nodes: values.nodes.split(",").map((one) => integerOption("nodes", one, 4, 4_000)),
    stores: values.stores === "none" ? [] : values.stores.split(",").map(storeName),
    watchers: integerOption("watchers", values.watchers, 1, 1_000),
    lifetimeS: integerOption("lifetime", values.lifetime, 2, 3_600),
    repeat: integerOption("repeat", values.repeat, 1, 20),
    idleS: integerOption("idle", values.idle, 1, 86_400),
    json: values.json,
    svg: values.svg,
  };
}

function storeName(text: string): StoreName {
  const found = storeNames.find((name) => name === text);
  if (found) return found;
  throw new RangeError(`--stores ${JSON.stringify(text)} must be none, or of ${storeNames.join(", ")}`);
}
