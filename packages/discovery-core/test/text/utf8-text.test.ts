import { describe, expect, it } from "vitest";
import { utf8Text } from "../../src/authors.ts";

const secret = "c2VjcmV0\r\n";

/** Result of `readFile(path, "utf8")` for a file with these bytes. */
function asRead(...parts: readonly (readonly number[] | Buffer)[]): string {
  return Buffer.concat(parts.map((part) => Buffer.from(part))).toString("utf8");
}

const littleEndian = Buffer.from(secret, "utf16le");
const bigEndian = Buffer.from(littleEndian).swap16();

describe("the text of a file", () => {
  it.each([
    ["plain", asRead(Buffer.from(secret))],
    ["with a byte order mark", asRead([0xef, 0xbb, 0xbf], Buffer.from(secret))],
  ])("is what it holds: %s", (_, read) => {
    expect(utf8Text(read)).toBe(secret);
  });

  it("may be empty, or none that ASCII has", () => {
    expect(utf8Text("")).toBe("");
    expect(utf8Text("\uFEFF")).toBe("");
    expect(utf8Text("Schlüssel 鍵\n")).toBe("Schlüssel 鍵\n");
  });

  it.each([
    ["little endian, as PowerShell writes", asRead([0xff, 0xfe], littleEndian)],
    ["big endian", asRead([0xfe, 0xff], bigEndian)],
    ["little endian without a mark", asRead(littleEndian)],
    ["big endian without a mark", asRead(bigEndian)],
    ["of a comment in another script", asRead([0xff, 0xfe], Buffer.from("# 鍵\n", "utf16le"))],
  ])("is refused in UTF-16 and never shown: %s", (_, read) => {
    expect(() => utf8Text(read)).toThrow(/^is UTF-16, as Windows PowerShell writes with >, and not UTF-8$/);
    expect(() => utf8Text(read)).not.toThrow(/c2V/);
  });

  it("is refused when it is no text", () => {
    expect(() => utf8Text(asRead([0x30, 0x82, 0x01, 0x00, 0x02, 0x00]))).toThrow(
      /^is binary, and not text in UTF-8$/,
    );
  });
});
