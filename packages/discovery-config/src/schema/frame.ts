import { type GroupShape, issuesOf } from "@lmserv/discovery-core/transport";
import { ConfigError } from "../config-error.ts";
import { presetContents, presetNames, primaryType, standbyCondition } from "../resolve/preset.ts";
import { type Group, nearestAt, type Path, plain } from "../settings/setting.ts";
import { durationPattern, parseDuration } from "./duration.ts";
import { gatewayShape } from "./gateway-shape.ts";
import { isTransportName, nameRule } from "./transport-name.ts";

// Shape of every configuration, apart from the plug-ins' own options.

const text = { type: "string", minLength: 1 } as const;

/** Shape of every transport, besides its options. */
export const transportShape: GroupShape = {
  type: "object",
  properties: {
    type: {
      ...text,
      description: `Kind of transport, such as ${primaryType}, or the package of a plug-in; its name unless given.`,
    },
    optional: {
      type: "boolean",
      description: "Leaves it out, with a warning, if its package is not installed.",
      default: false,
    },
    when: {
      type: "string",
      enum: ["always", standbyCondition],
      description: `Runs it always, or only while ${primaryType} hears no other host.`,
      default: "always",
    },
    after: {
      ...text,
      pattern: durationPattern.source,
      description: `Silence of ${primaryType} before it runs.`,
      default: "1200ms",
    },
  },
  additionalProperties: true,
};

export const documentShape: GroupShape = {
  type: "object",
  properties: {
    $schema: { type: "string", description: "Address of this schema, for editors." },
    version: { type: "integer", minimum: 1, maximum: 1, description: "The version of this format." },
    preset: {
      type: "string",
      enum: presetNames,
      description: `Transports to start from: ${presetContents}.`,
    },
    transports: {
      type: "object",
      properties: {},
      additionalProperties: transportShape,
      description: "The transports, by name.",
    },
    gateway: gatewayShape,
  },
  required: ["version"],
  additionalProperties: false,
};

export const frameKeys: readonly string[] = Object.keys(transportShape.properties);

const fixes: Readonly<Record<string, string>> = {
  version: 'this version reads "version": 1',
  transports: `list one, such as "${primaryType}": {}, or leave the key out for that`,
};

/** @throws {ConfigError} for the first fault of a configuration file, options aside. */
export function checkDocument(file: Group): void {
  check(documentShape, file, []);
  const transports = file.entries.get("transports");
  if (transports?.kind !== "group") return;
  const { origin } = transports;
  if (transports.entries.size === 0) {
    throw new ConfigError({ origin, path: ["transports"], reason: "is empty", fix: fixes.transports ?? "" });
  }
  for (const [name, one] of transports.entries) {
    const path = ["transports", name];
    if (!isTransportName(name)) {
      const reason = "is no name of a transport";
      throw new ConfigError({ origin: one.origin, path, reason, fix: nameRule });
    }
    if (one.kind === "group") checkDuration(one, path);
  }
}

/** @throws {ConfigError} for the first fault in the section of the local endpoint. */
export function checkGateway(group: Group): void {
  check(gatewayInUse, group, ["gateway"]);
}

/** A variable may hold the key itself. */
const gatewayInUse: GroupShape = {
  ...gatewayShape,
  properties: { ...gatewayShape.properties, key: { type: "string", minLength: 1, writeOnly: true } },
};

/** @throws {ConfigError} for a fault in the settings that every transport has. */
export function checkTransport(group: Group, path: Path): void {
  check(transportShape, group, path);
  checkDuration(group, path);
}

function checkDuration(group: Group, path: Path): void {
  const after = textOf(group, "after");
  if (after === null || parseDuration(after) !== null) return;
  const { origin } = nearestAt(group, ["after"]);
  const reason = `is ${JSON.stringify(after)}, which is no duration of at most 24h`;
  const fix = 'write seconds, or a whole number and a unit, such as "500ms", "3s" or "2m"';
  throw new ConfigError({ origin, path: [...path, "after"], reason, fix });
}

function check(shape: GroupShape, group: Group, base: Path): void {
  const [issue] = issuesOf(plain(group), shape);
  if (!issue) return;
  const inner = issue.path.map(String);
  const path = [...base, ...inner];
  const [, meant] = /^is unknown; (.*)$/.exec(issue.message) ?? [];
  const reason = meant === undefined ? issue.message : "is unknown";
  const fix = meant ?? fixes[path.join(".")] ?? "see the JSON Schema that $schema names";
  throw new ConfigError({ origin: nearestAt(group, inner).origin, path, reason, fix });
}

/** Value of a key that was checked to be text, or null if it is absent. */
export function textOf(group: Group, key: string): string | null {
  const setting = group.entries.get(key);
  return setting?.kind === "value" && typeof setting.value === "string" ? setting.value : null;
}
