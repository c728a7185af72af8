import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Attributes, decodeTxt, encodeTxt, maxTxtBytes } from "../../src/dns/txt.ts";

function strings(...texts: readonly string[]): Uint8Array[] {
  return texts.map((text) => new TextEncoder().encode(text));
}

const key = fc
  .string({ unit: "grapheme-ascii", minLength: 1, maxLength: 9 })
  .map((text) => text.toLowerCase().replaceAll("=", "-"));
const value = fc.string({ unit: "binary", maxLength: 60 });

describe("attributes", () => {
  test("are read as they were written", () => {
    fc.assert(
      fc.property(fc.dictionary(key, value, { maxKeys: 4, noNullPrototype: true }), (attributes) => {
        expect(decodeTxt(encodeTxt(attributes))).toEqual(attributes);
      }),
    );
  });

  test("are written in their order, as key, equals sign and value", () => {
    expect(encodeTxt({ info: "señal=1", id: "", Path: "/chat" })).toEqual(
      strings("info=señal=1", "id=", "Path=/chat"),
    );
  });

  test("may be none", () => {
    expect(encodeTxt({})).toEqual([]);
    expect(decodeTxt([])).toEqual({});
    expect(decodeTxt(strings(""))).toEqual({});
  });

  test("may take 255 bytes each: info 250", () => {
    expect(encodeTxt({ info: "é".repeat(125) })[0]).toHaveLength(255);
    expect(() => encodeTxt({ info: `${"é".repeat(125)}x` })).toThrow(
      new RangeError('attribute "info" takes 256 bytes with its value; at most 255 are allowed'),
    );
  });

  test("may take 1,300 bytes in all, with the length of each", () => {
    const full: Attributes = Object.fromEntries(
      ["a", "b", "c", "d", "e"].map((one) => [one, "x".repeat(253)]),
    );
    expect(() => encodeTxt({ ...full, f: "x".repeat(maxTxtBytes - 5 * 256 - 3) })).not.toThrow();
    expect(() => encodeTxt({ ...full, f: "x".repeat(maxTxtBytes - 5 * 256 - 2) })).toThrow(
      new RangeError("the attributes take 1301 bytes; at most 1300 are allowed"),
    );
  });

  test.each(["", "a=b", "clé", "a\n", "\x7f"])("may not be called %j", (name) => {
    expect(() => encodeTxt({ [name]: "1" })).toThrow(
      new RangeError(`attribute ${JSON.stringify(name)} must be printable ASCII without "="`),
    );
  });
});

describe("TXT strings of others", () => {
  test.each<[string, string[], Attributes]>([
    ["the first of a key counts", ["a=1", "a=2"], { a: "1" }],
    ["whatever its case", ["Info=1", "INFO=2", "info=3"], { info: "1" }],
    ["also when it has no value", ["a", "a=2"], { a: "" }],
    ["a key may lack the equals sign", ["tls"], { tls: "" }],
    ["or have nothing behind it", ["tls="], { tls: "" }],
    ["a value may hold equals signs", ["info=a=b=", "x==="], { info: "a=b=", x: "==" }],
    ["a value may hold line breaks and zeros", ["info=a\r\nb\0"], { info: "a\r\nb\0" }],
    ["a key may hold spaces", [" a b =1"], { " a b ": "1" }],
    ["without a key they are ignored", ["=x", "=", "", "a=1"], { a: "1" }],
    ["with a key that no sender may use as well", ["clé=1", "a\x1b=2", "\u212a=3", "a=1"], { a: "1" }],
  ])("%s", (_, texts, attributes) => {
    expect(decodeTxt(strings(...texts))).toEqual(attributes);
  });

  test("that are no UTF-8 give U+FFFD", () => {
    expect(decodeTxt([Uint8Array.from([0x61, 0x3d, 0xff, 0x62])])).toEqual({ a: "\ufffdb" });
    expect(decodeTxt([Uint8Array.from([0xff, 0x3d, 0x62])])).toEqual({});
  });

  test("keep a byte order mark", () => {
    expect(decodeTxt(strings("a=\ufeffx"))).toEqual({ a: "\ufeffx" });
  });

  test("cannot reach a prototype", () => {
    const attributes = decodeTxt(strings("__proto__=polluted", "constructor=x", "toString=y"));
    expect(Object.getPrototypeOf(attributes)).toBe(Object.prototype);
    expect(Object.entries(attributes)).toEqual([
      ["__proto__", "polluted"],
      ["constructor", "x"],
      ["tostring", "y"],
    ]);
    expect(Object.hasOwn(Object.prototype, "polluted")).toBe(false);
    expect(Object.getPrototypeOf({ ...attributes })).toBe(Object.prototype);
    expect(encodeTxt(attributes)).toEqual(strings("__proto__=polluted", "constructor=x", "tostring=y"));
  });

  test("are read whatever they are", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 255 }), { maxLength: 20 }), (texts) => {
        const attributes = decodeTxt(texts);
        expect(Object.keys(attributes).length).toBeLessThanOrEqual(texts.length);
        for (const name of Object.keys(attributes)) expect(name).toMatch(/^[ -<>-@[-~]+$/);
      }),
    );
  });
});
