import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { joinLabels, nameKey, splitLabels, truncateUtf8 } from "../../src/dns/name.ts";
import { label } from "./arbitraries.ts";

describe("a name", () => {
  test("has the labels that it was made of", () => {
    fc.assert(
      fc.property(fc.array(label, { maxLength: 10 }), (labels) => {
        expect(splitLabels(joinLabels(labels))).toEqual(labels);
      }),
    );
  });

  test("escapes dots and backslashes in labels, and nothing else", () => {
    expect(joinLabels(["v1.2", "a\\b", "ü\n", "local"])).toBe("v1\\.2.a\\\\b.ü\n.local");
    expect(splitLabels("v1\\.2.a\\\\b.ü\n.local")).toEqual(["v1.2", "a\\b", "ü\n", "local"]);
  });

  test("may end in the dot of the root", () => {
    expect(splitLabels("_lmserv._tcp.local.")).toEqual(["_lmserv", "_tcp", "local"]);
    expect(splitLabels(".")).toEqual([]);
  });

  test("equals another whose ASCII letters differ in case only", () => {
    expect(nameKey("ABCDEFGHIJKLMNOPQRSTUVWXYZ.[Box]")).toBe("abcdefghijklmnopqrstuvwxyz.[box]");
    expect(nameKey("KÜCHE")).toBe("kÜche");
    expect(nameKey("\u212a")).toBe("\u212a");
    expect(nameKey("İ")).toBe("İ");
  });
});

describe("truncated text", () => {
  test("is the longest start that fits, without half a character", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.nat({ max: 70 }), (text, maxBytes) => {
        const kept = truncateUtf8(text, maxBytes);
        const characters = [...text];
        const length = [...kept].length;
        expect(kept).toBe(characters.slice(0, length).join(""));
        expect(Buffer.byteLength(kept)).toBeLessThanOrEqual(maxBytes);
        const longer = characters.slice(0, length + 1).join("");
        if (longer !== kept) expect(Buffer.byteLength(longer)).toBeGreaterThan(maxBytes);
      }),
    );
  });
});
