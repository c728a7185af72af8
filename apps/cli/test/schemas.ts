import { readFileSync } from "node:fs";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";

const discoverSchema = load("discover");
const watchSchema = load("watch");
const doctorSchema = load("doctor");
const configSchema = load("config");

/** Validators for every later version too. */
export const published: Validators = compile({
  discover: discoverSchema,
  watch: watchSchema,
  doctor: doctorSchema,
  config: configSchema,
});
/** Validators that forbid keys outside the schema. */
export const closed: Validators = compile({
  discover: close(discoverSchema),
  watch: close(watchSchema),
  doctor: close(doctorSchema),
  config: close(configSchema),
});

type Format = "discover" | "watch" | "doctor" | "config";
type Validators = Readonly<Record<Format, ValidateFunction>>;

type Schema = Readonly<Record<string, unknown>>;

function load(name: string): Schema {
  return JSON.parse(readFileSync(new URL(`../schema/${name}.schema.json`, import.meta.url), "utf8"));
}

function compile({ discover, watch, doctor, config }: Readonly<Record<Format, Schema>>): Validators {
  const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true });
  return {
    discover: ajv.compile(discover),
    watch: ajv.compile(watch),
    doctor: ajv.compile(doctor),
    config: ajv.compile(config),
  };
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
