import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { generateKey, parseKeys } from "../../src/link/cluster-key.ts";

describe("a key file", () => {
  it("takes what generateKey makes, in order, with comments and blank lines", () => {
    const [first, second] = [generateKey(), generateKey()];
    const keys = parseKeys(`# of this year\n${first}\n\n  ${second}  \r\n# the end`);
    const texts = keys.map((key) => key.export().toString("base64url"));
    expect(texts).toEqual([first, second]);
    expect(first).toMatch(/^[\w-]{43}$/);
    expect(first).not.toBe(second);
  });

  it.each([
    ["# nothing\n", "has no key"],
    [`${generateKey()}\nnot/base64url=`, "line 2 of the key file is not base64url"],
    ["\n\nc2hvcnQ", "line 3 of the key file is a key of 5 bytes, but at least 32"],
    [Array.from({ length: 9 }, generateKey).join("\n"), "has 9 keys, but 8 are allowed"],
  ])("names what is wrong with %j", (text, message) => {
    expect(() => parseKeys(text)).toThrow(RangeError);
    expect(() => parseKeys(text)).toThrow(message);
  });

  it("may begin with the byte order mark of UTF-8, and names another encoding", () => {
    const text = generateKey();
    expect(parseKeys(`\uFEFF${text}\r\n`)[0]?.export().toString("base64url")).toBe(text);
    const wide = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(`${text}\r\n`, "utf16le")]);
    const message = "the key file is UTF-16, as Windows PowerShell writes with >, and not UTF-8";
    expect(() => parseKeys(wide.toString("utf8"))).toThrow(new RangeError(message));
  });

  it("never shows a key, neither in an error nor when it is printed", () => {
    const text = generateKey();
    expect(() => parseKeys(`${text.slice(1)}`)).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining(text.slice(1, 9)) }),
    );
    const [key] = parseKeys(text);
    expect(`${inspect(key, { depth: 9, showHidden: true })}${JSON.stringify(key)}${key}`).not.toContain(
      text.slice(0, 9),
    );
  });
});
