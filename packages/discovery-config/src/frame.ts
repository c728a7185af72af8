import { mendName } from "@lmserv/discovery-core/transport";
import { z } from "zod";
import { ConfigError } from "./config-error.ts";
import { durationPattern, parseDuration } from "./duration.ts";
import { presetNames } from "./preset.ts";
import { type Group, nearestAt, type Path, plain } from "./setting.ts";
import { namePattern, nameRule } from "./transport-name.ts";

// What every configuration has, whatever its transports; their options are the plug-ins' own.

const duration = z
  .string('must be a duration such as "3s"')
  .regex(durationPattern, 'must be a whole number and a unit, such as "500ms", "3s" or "2m"')
  .refine((text) => parseDuration(text) !== null, "must be at most 24h");

const transport = z.looseObject(
  {
    type: z
      .string("must be a text")
      .min(1, "must not be empty")
      .describe(
        "Which kind it is: mdns, arp, mesh, etcd, nats, or the package of a plug-in; its name unless given.",
      )
      .optional(),
    optional: z
      .boolean("must be true or false")
      .describe("Whether it is left out, with a warning, when its package is not installed.")
      .meta({ default: false })
      .optional(),
    when: z
      .enum(["always", "mdns-silent"], 'must be "always" or "mdns-silent"')
      .describe("Whether it runs always, or only while mDNS hears no other host.")
      .meta({ default: "always" })
      .optional(),
    after: duration
      .describe("How long mDNS may be silent before it runs.")
      .meta({ default: "3s" })
      .optional(),
  },
  "must be an object, such as {}",
);

const document = z.strictObject({
  $schema: z.string("must be a text").describe("Where editors find this schema.").optional(),
  version: z.literal(1, "must be 1").describe("The version of this format."),
  preset: z
    .enum(presetNames, `must be one of ${presetNames.join(", ")}`)
    .describe(
      "Transports to start from: lan is mDNS; office adds a sweep when that is silent; cloud is the mesh.",
    )
    .optional(),
  transports: z
    .record(z.string().regex(namePattern), transport, "must be an object of transports by name")
    .refine((transports) => Object.keys(transports).length > 0, "is empty")
    .describe("The transports, by name.")
    .optional(),
});

const mends: Readonly<Record<string, string>> = {
  version: 'this version reads "version": 1',
  transports: 'list one, such as "mdns": {}, or leave the key out for mDNS',
};

/** @throws {ConfigError} for the first thing in a configuration file that cannot be, but for options. */
export function checkDocument(file: Group): void {
  const { error } = document.safeParse(plain(file));
  const [issue] = error?.issues ?? [];
  if (issue) throw faultOf(issue, file, []);
}

/** @throws {ConfigError} for what every transport has and this one has wrong. */
export function checkTransport(group: Group, path: Path): void {
  const { error } = transport.safeParse(plain(group));
  const [issue] = error?.issues ?? [];
  if (issue) throw faultOf(issue, group, path);
}

function faultOf(issue: z.core.$ZodIssue, group: Group, base: Path): ConfigError {
  const inner = issue.path.map(String);
  if (issue.code === "unrecognized_keys") {
    const [key = ""] = issue.keys;
    const { origin } = nearestAt(group, [...inner, key]);
    const mend = mendName(key, Object.keys(document.shape));
    return new ConfigError({ origin, path: [...base, ...inner, key], reason: "is unknown", mend });
  }
  const { origin } = nearestAt(group, inner);
  const path = [...base, ...inner];
  if (issue.code === "invalid_key") {
    return new ConfigError({ origin, path, reason: "is no name of a transport", mend: nameRule });
  }
  const mend = mends[path.join(".")] ?? "see the JSON Schema that $schema names";
  return new ConfigError({ origin, path, reason: issue.message, mend });
}

/** The JSON Schemas of the document and of a transport, for editors. */
export function frameSchemas(): { readonly document: JsonObject; readonly transport: JsonObject } {
  return {
    document: z.toJSONSchema(document, { io: "input" }),
    transport: z.toJSONSchema(transport, { io: "input" }),
  };
}

export type JsonObject = Readonly<Record<string, unknown>>;
