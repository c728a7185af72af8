import { describe, expect, test } from "vitest";
import { isTransportPlugin, optionsSchema } from "../../src/authors.ts";

interface Options {
  readonly name: string;
  readonly kind?: "slow" | "fast";
  readonly count?: number;
  readonly ratio?: number;
  readonly sweep?: boolean;
  readonly ports?: readonly number[];
  readonly tags?: readonly string[];
  readonly tls?: { readonly key?: string };
}

const description = "An option.";
const port = { type: "integer", minimum: 1, maximum: 65_535 } as const;
const schema = optionsSchema<Options>(
  {
    name: { description, type: "string", minLength: 1 },
    kind: { description, type: "string", enum: ["slow", "fast"] },
    count: { description, type: "integer", minimum: 1, maximum: 9 },
    ratio: { description, type: "number", minimum: 0, maximum: 1 },
    sweep: { description, type: "boolean" },
    ports: { description, type: "array", items: port, minItems: 1, maxItems: 2 },
    tags: { description, type: "array", items: { type: "string" }, minItems: 1 },
    tls: {
      description,
      type: "object",
      properties: { key: { description, type: "string" } },
      additionalProperties: false,
    },
  },
  ["name"],
);

async function issuesOf(value: unknown) {
  const { issues = [] } = await schema["~standard"].validate(value);
  return issues.map(({ path = [], message }) => `${path.join(".")} ${message}`);
}

describe("options", () => {
  test("that are right are passed on as they are", async () => {
    const value = {
      name: "a",
      kind: "fast",
      count: 9,
      ratio: 0.5,
      sweep: true,
      ports: [1],
      tags: [""],
      tls: { key: "x" },
    };
    expect(await schema["~standard"].validate(value)).toEqual({ value });
  });

  test.each([
    [{}, "name is missing"],
    [{ name: "" }, 'name must be a text that is not empty, and is ""'],
    [{ name: 1 }, "name must be a text that is not empty, and is 1"],
    [{ name: "a", kind: "odd" }, 'kind must be one of slow, fast, and is "odd"'],
    [{ name: "a", count: 1.5 }, "count must be a whole number from 1 to 9, and is 1.5"],
    [{ name: "a", count: 10 }, "count must be a whole number from 1 to 9, and is 10"],
    [{ name: "a", ratio: "1" }, 'ratio must be a number from 0 to 1, and is "1"'],
    [{ name: "a", sweep: "yes" }, 'sweep must be true or false, and is "yes"'],
    [{ name: "a", ports: [] }, "ports must be a list of 1 to 2, and is []"],
    [{ name: "a", ports: [1, 0] }, "ports.1 must be a whole number from 1 to 65535, and is 0"],
    [{ name: "a", tags: [] }, "tags must be a list of at least 1, and is []"],
    [{ name: "a", tls: [] }, "tls must be an object, and is []"],
    [{ name: "a", tls: { kee: 1 } }, 'tls.kee is unknown; did you mean "key"?'],
    [{ name: "a", toString: 1 }, /^toString is unknown; known are: name, kind/],
    [null, " must be an object, and is null"],
  ])("%j is refused", async (value, message) => {
    expect(await issuesOf(value)).toEqual([
      message instanceof RegExp ? expect.stringMatching(message) : message,
    ]);
  });

  test("are described to editors", () => {
    const json = schema["~standard"].jsonSchema?.input({ target: "draft-2020-12" });
    expect(json).toMatchObject({ type: "object", required: ["name"], additionalProperties: false });
  });
});

test("a plug-in is told from other exports", () => {
  const plugin = { type: "x", announces: false, options: schema, create: () => ({ name: "x" }) };
  expect(isTransportPlugin(plugin)).toBe(true);
  for (const other of [null, "x", {}, { ...plugin, options: {} }, { ...plugin, create: 1 }]) {
    expect(isTransportPlugin(other)).toBe(false);
  }
});
