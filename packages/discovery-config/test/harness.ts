import { optionsSchema, type Transport, type TransportPlugin } from "@lmserv/discovery-core/transport";
import { plugin as mdns } from "@lmserv/discovery-mdns";
import { MemoryNetwork, memory } from "@lmserv/discovery-testkit";
import { z } from "zod";
import { type ConfigError, type ConfigInput, type PluginTable, resolveConfig } from "../src/index.ts";

interface SweepOptions {
  readonly sweep?: boolean;
  readonly ports?: readonly number[];
  readonly sweepEveryMs?: number;
  readonly interfaces?: readonly string[];
}

/** Arguments of the plug-ins' `create`. */
export interface Made {
  readonly type: string;
  readonly name: string;
  readonly options: unknown;
}

export const made: Made[] = [];

function make(type: string, announces: boolean) {
  return (options: unknown, { name }: { readonly name: string }): Transport => {
    made.push({ type, name, options });
    return memory({ network: new MemoryNetwork(), name, announces });
  };
}

/** Only browses, and has a hand-written schema. */
export const arp: TransportPlugin<SweepOptions> = {
  type: "arp",
  announces: false,
  options: optionsSchema<SweepOptions>({
    sweep: { description: "Whether to sweep.", type: "boolean", default: false },
    ports: {
      description: "Ports.",
      type: "array",
      items: { type: "integer", minimum: 1, maximum: 65_535 },
      maxItems: 3,
    },
    sweepEveryMs: { description: "How often.", type: "integer", minimum: 300_000, maximum: 86_400_000 },
    interfaces: { description: "Interfaces.", type: "array", items: { type: "string" }, minItems: 1 },
  }),
  create(options, context) {
    if (options.ports?.includes(666)) throw new RangeError("ports holds 666, which nobody asks");
    return make("arp", false)(options, context);
  },
};

const meshOptions = z.strictObject({
  seeds: z.array(z.url()).min(1, "must name at least one seed"),
  key: z.string().meta({ writeOnly: true }),
  tls: z
    .strictObject({ cert: z.string().meta({ writeOnly: true }), key: z.string().meta({ writeOnly: true }) })
    .optional(),
  peersFile: z.string().meta({ format: "file" }).optional(),
  state: z.string().meta({ format: "path" }).optional(),
  limits: z.strictObject({ maxPeers: z.int().default(16) }).optional(),
});

/** Announces, holds a secret, and has a schema made by zod. */
export const mesh: TransportPlugin<z.infer<typeof meshOptions>> = {
  type: "mesh",
  announces: true,
  options: meshOptions,
  create: make("mesh", true),
};

export const plugins: PluginTable = new Map<string, TransportPlugin>([
  ["mdns", { ...mdns, create: make("mdns", true) }],
  ["arp", arp],
  ["mesh", mesh],
]);

export const file = "/srv/app/lmserv.config.jsonc";

interface Situation extends Partial<ConfigInput> {
  /** Texts by path. */
  readonly files?: Readonly<Record<string, string>>;
}

/** Resolves flags, environment and files in a file system of their own. */
export function resolve({ files = {}, ...input }: Situation) {
  made.length = 0;
  const readFile = async (path: string): Promise<string> => {
    const text = files[path];
    if (text !== undefined) return text;
    throw Object.assign(new Error(`ENOENT: no such file, open '${path}'`), { code: "ENOENT" });
  };
  return resolveConfig({ cwd: "/srv/app", readFile, plugins, ...input });
}

/** Resolves a named configuration file, given as text or as a value. */
export function resolveFile(content: unknown, input: Situation = {}) {
  const text = typeof content === "string" ? content : JSON.stringify(content, null, 2);
  const flags = { config: file, ...input.flags };
  return resolve({ ...input, flags, files: { ...input.files, [file]: text } });
}

/** Error of the rejection. */
export async function faultOf(resolving: Promise<unknown>): Promise<ConfigError> {
  const error = await resolving.then(
    () => new Error("the configuration was accepted"),
    (error: unknown) => error,
  );
  if (error instanceof TypeError && error.name === "ConfigError") return error as ConfigError;
  throw error;
}
