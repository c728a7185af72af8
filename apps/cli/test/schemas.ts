import { readFileSync } from "node:fs";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";

const discoverSchema = load("discover");
const watchSchema = load("watch");

/** What holds for every later version too. */
export const published: Validators = compile(discoverSchema, watchSchema);
/** The same, and nothing may appear that the schema does not name. */
export const closed: Validators = compile(close(discoverSchema), close(watchSchema));

interface Validators {
  readonly discover: ValidateFunction;
  readonly watch: ValidateFunction;
}

type Schema = Readonly<Record<string, unknown>>;

function load(name: string): Schema {
  return JSON.parse(readFileSync(new URL(`../schema/${name}.schema.json`, import.meta.url), "utf8"));
}

function compile(discover: Schema, watch: Schema): Validators {
  const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true });
  return { discover: ajv.compile(discover), watch: ajv.compile(watch) };
}

/** Forbids unknown keys in every object that has known ones. */
function close<T>(schema: T): T {
  return JSON.parse(JSON.stringify(schema), (_key, value) =>
    typeof value === "object" && value !== null && isSchemaOfObject(value)
      ? { additionalProperties: false, ...value }
      : value,
  );
}

function isSchemaOfObject(value: object): boolean {
  return "properties" in value && "required" in value;
}
