import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { jsonMembers, jsonValue, withValue } from "../src/forwarding/json-members.ts";

const layouts = fc.constantFrom(undefined, 1, "\t");

describe("members of a JSON object", () => {
  test("are those that JSON.parse finds", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue()), layouts, (object, layout) => {
        const bytes = Buffer.from(` ${JSON.stringify(object, null, layout)}\n`);
        const members = [...jsonMembers(bytes)].map(([key, span]) => [key, jsonValue(bytes, span)]);
        expect(Object.fromEntries(members)).toEqual(JSON.parse(bytes.toString()));
      }),
    );
  });

  test("can be replaced one by one", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 }),
        layouts,
        fc.string(),
        (object, layout, value) => {
          const bytes = Buffer.from(JSON.stringify(object, null, layout));
          const [key = "", span = { start: 0, end: 0 }] = [...jsonMembers(bytes)].at(-1) ?? [];
          const replaced = Buffer.from(withValue(bytes, span, value)).toString();
          expect(JSON.parse(replaced)).toEqual({ ...JSON.parse(bytes.toString()), [key]: value });
        },
      ),
    );
  });

  test("are none where the document is none, and reading it ends", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 }), fc.nat(), (object, cut) => {
        const text = Buffer.from(JSON.stringify(object));
        expect(jsonMembers(text.subarray(0, cut % text.length)).size).toBe(0);
      }),
    );
    fc.assert(fc.property(fc.uint8Array(), (bytes) => void jsonMembers(bytes)));
    for (const text of ["", "[]", '"{}"', "null", "{}", "{,}", '{"a"}', '{"a":1', '{"a" 1}']) {
      expect(jsonMembers(Buffer.from(text)).size, text).toBe(0);
    }
  });

  test("of equal keys is the last", () => {
    const bytes = Buffer.from('{"a":1,"a":2}');
    expect(jsonValue(bytes, jsonMembers(bytes).get("a") ?? { start: 0, end: 0 })).toBe(2);
  });
});
