import { ConfigError } from "../config-error.ts";
import { trustAdvice } from "../files/confinement.ts";
import { frameKeys } from "../schema/frame.ts";
import { type JsonSchema, propertiesOf, secretBehind } from "../schema/json-schema.ts";
import { formatOrigin } from "./origin.ts";
import type { Group, Path } from "./setting.ts";

/**
 * Keeps a secret of the user, from a flag or the environment, out of reach of a merely found file.
 *
 * Such a file could send it anywhere, so that it brings its own secrets or sets no options.
 *
 * @throws {ConfigError} when both set options of one transport.
 */
export function assertOwnSecrets(
  { entries }: Group,
  schema: JsonSchema,
  { path, file }: { readonly path: Path; readonly file: string },
): void {
  const isSecret = (key: string): boolean =>
    propertiesOf(schema).get(key)?.writeOnly === true || secretBehind(key, schema) !== null;
  const all = [...entries].filter(([key]) => !frameKeys.includes(key));
  const given = all.find(([key, { origin }]) => isSecret(key) && origin.kind !== "file");
  const found = all.find(([key, { origin }]) => !isSecret(key) && origin.kind === "file");
  if (!given || !found) return;
  const [key, { origin }] = found;
  throw new ConfigError({
    origin,
    path: [...path, key],
    reason: `decides where ${formatOrigin(given[1].origin)} is sent, and stands in a file that was only found in the working folder`,
    fix: trustAdvice(file),
  });
}
