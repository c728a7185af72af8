import { resolve } from "node:path";
import {
  type SchemaIssue,
  suggestName,
  type TransportPlugin,
  utf8Text,
} from "@lmserv/discovery-core/transport";
import { ConfigError } from "../config-error.ts";
import { assertInside } from "../files/confinement.ts";
import { inspectFile } from "../files/file-safety.ts";
import type { ReadFile } from "../files/file-search.ts";
import { type JsonSchema, propertiesOf, secretBehind, writableKeys } from "../schema/json-schema.ts";
import type { Origin } from "./origin.ts";
import { type Group, nearestAt, type Path, plain, type Setting } from "./setting.ts";

/** Access to the files that options name. */
export interface Files {
  readonly readFile: ReadFile;
  /** Base folder of paths in values of this origin. */
  readonly folderOf: (origin: Origin) => string;
  /** Configuration file that was only found, so that it names nothing outside its folder. */
  readonly foundFile: string | null;
  /** Receives warnings of likely mistakes. */
  readonly warn: (message: string) => void;
}

/**
 * Replaces secret files by their contents, and relative paths by whole ones.
 *
 * @throws {ConfigError} for an unknown key, a secret in the open, and an unreadable file.
 */
export async function fillIn(group: Group, schema: JsonSchema, path: Path, files: Files): Promise<Group> {
  const entries = new Map<string, Setting>();
  for (const [key, setting] of group.entries) {
    const at = [...path, key];
    const secret = secretBehind(key, schema);
    const property = propertiesOf(schema).get(key) ?? null;
    if (isOverruled(key, secret, group)) continue;
    if (secret !== null) entries.set(secret, await secretFrom(setting, at, files));
    else if (property?.writeOnly) entries.set(key, checkHidden(setting, at));
    else if (property) entries.set(key, await fillInOne(setting, property, at, files));
    else entries.set(key, await fillInFurther(setting, schema, at, files));
  }
  return { ...group, entries };
}

/** Fills in a key that the schema does not name, such as a node's; it may hold a secret's file. */
async function fillInFurther(
  setting: Setting,
  schema: JsonSchema,
  path: Path,
  files: Files,
): Promise<Setting> {
  const { additionalProperties: further } = schema;
  if (further === false) throw unknownKey(setting, path, schema);
  const property: JsonSchema = typeof further === "object" && further !== null ? further : {};
  return property.writeOnly ? secretFrom(setting, path, files) : fillInOne(setting, property, path, files);
}

/** A secret in the environment overrides the name of its file, unless that is a flag. */
function isOverruled(key: string, secret: string | null, { entries }: Group): boolean {
  if (secret === null) return entries.get(`${key}File`)?.origin.kind === "flag";
  return entries.get(key)?.origin.kind !== "flag" && entries.get(secret)?.origin.kind === "environment";
}

async function fillInOne(setting: Setting, schema: JsonSchema, path: Path, files: Files): Promise<Setting> {
  if (setting.kind === "group") return fillIn(setting, schema, path, files);
  const { format } = schema;
  if (typeof setting.value !== "string" || !(format === "file" || format === "path")) return setting;
  const value = await locate(setting.value, setting.origin, path, files);
  if (format === "file") await readNamed(value, setting.origin, path, files);
  return { ...setting, value };
}

/** @throws {ConfigError} for a file that a merely found file may not name. */
async function locate(name: string, origin: Origin, path: Path, files: Files): Promise<string> {
  const place = resolve(files.folderOf(origin), name);
  const { foundFile } = files;
  if (foundFile !== null && origin.kind === "file") {
    await assertInside(place, { file: foundFile, origin, path });
  }
  return place;
}

async function secretFrom(setting: Setting, path: Path, files: Files): Promise<Setting> {
  const { origin } = setting;
  const name = plain(setting);
  if (typeof name !== "string" || name === "") {
    throw new ConfigError({ origin, path, reason: "must name a file", fix: "write its path as a text" });
  }
  const file = await locate(name, origin, path, files);
  const { refusal, warning } = await inspectFile(file);
  if (refusal) {
    const reason = `names the file ${file}, ${refusal.reason}`;
    throw new ConfigError({ origin, path, reason, fix: refusal.fix });
  }
  const text = await readNamed(file, origin, path, files);
  if (warning && !isPublic(text)) {
    files.warn(
      new ConfigError({
        origin,
        path,
        reason: `names the file ${file}, ${warning.reason}`,
        fix: warning.fix,
      }).message,
    );
  }
  const value = decoded(text, name, origin, path).replace(/\r?\n$/, "");
  if (value !== "") return { kind: "value", value, origin };
  const reason = `names the file ${name}, which is empty`;
  throw new ConfigError({ origin, path, reason, fix: "put the secret into it" });
}

/** Certificates are stored like keys, but are public. */
function isPublic(text: string): boolean {
  return text.includes("-----BEGIN CERTIFICATE-----") && !text.includes("PRIVATE KEY");
}

function decoded(text: string, name: string, origin: Origin, path: Path): string {
  try {
    return utf8Text(text);
  } catch (error) {
    const reason = `names the file ${name}, which ${error instanceof Error ? error.message : error}`;
    const fix = "save it as UTF-8, in PowerShell with | Set-Content -Encoding ascii";
    throw new ConfigError({ origin, path, reason, fix, cause: error });
  }
}

async function readNamed(file: string, origin: Origin, path: Path, { readFile }: Files): Promise<string> {
  try {
    return await readFile(file);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const reason = `names the file ${file}, which cannot be read: ${why}`;
    throw new ConfigError({ origin, path, reason, fix: "name one that this user may read", cause: error });
  }
}

/** Files and command lines are shared, copied and shown. */
function checkHidden(setting: Setting, path: Path): Setting {
  if (setting.origin.kind === "environment") return setting;
  const variable = `LMSERV_${path.map(variablePart).join("__")}`;
  throw new ConfigError({
    origin: setting.origin,
    path,
    reason: "must not stand here in the open",
    fix: `put it into a file of its own and name that as ${path.at(-1)}File, or set ${variable}`,
  });
}

function variablePart(key: string): string {
  return key
    .replaceAll(/[A-Z]/g, (letter) => `_${letter}`)
    .replaceAll("-", "_")
    .toUpperCase();
}

function unknownKey({ origin }: Setting, path: Path, schema: JsonSchema): ConfigError {
  return new ConfigError({
    origin,
    path,
    reason: "is unknown",
    fix: suggestName(path.at(-1) ?? "", writableKeys(schema)),
  });
}

/** @throws {ConfigError} for the first option that its plug-in refuses. */
export async function checkOptions(plugin: TransportPlugin, group: Group, path: Path): Promise<unknown> {
  const result = await plugin.options["~standard"].validate(plain(group));
  const [issue] = result.issues ?? [];
  if (issue) throw refusedOption(issue, group, path);
  return "value" in result ? result.value : undefined;
}

function refusedOption({ message, path: inner = [] }: SchemaIssue, group: Group, path: Path): ConfigError {
  const keys = inner.map((part) => String(typeof part === "object" ? part.key : part));
  const { origin } = nearestAt(group, keys);
  return new ConfigError({ origin, path: [...path, ...keys], reason: message, fix: "change it there" });
}
