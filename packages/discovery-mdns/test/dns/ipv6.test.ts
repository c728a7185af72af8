import { isIPv6 } from "node:net";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatIPv6, parseIPv6 } from "../../src/dns/ipv6.ts";

/** URLs are the oracle: they spell an address as RFC 5952 does. */
function canonical(address: string): string {
  return new URL(`http://[${address}]`).hostname.slice(1, -1);
}

const addressBytes = fc.oneof(
  fc.uint8Array({ minLength: 16, maxLength: 16 }),
  // Many zeros, as in real addresses.
  fc
    .array(fc.constantFrom(0, 0, 0, 1, 255), { minLength: 16, maxLength: 16 })
    .map(Uint8Array.from.bind(Uint8Array)),
);

/** Text that is sometimes an address, and nearly one otherwise. */
const nearly = fc
  .array(fc.constantFrom("::", ":", "1", "0", "ff", "FE80", "12345", "1.2.3.4", "256.1.1.1", "g"), {
    maxLength: 16,
  })
  .chain((parts) => fc.constantFrom(parts.join(""), `${parts.join("")}%eth0`));

describe("an IPv6 address", () => {
  test("is written as URLs spell it, and read back", () => {
    fc.assert(
      fc.property(addressBytes, (bytes) => {
        const groups = Buffer.from(bytes).toString("hex").match(/.{4}/g) ?? [];
        expect(formatIPv6(bytes)).toBe(canonical(groups.join(":")));
        expect(parseIPv6(formatIPv6(bytes))).toEqual(bytes);
      }),
    );
  });

  test("is read when Node takes it for one, and refused otherwise", () => {
    fc.assert(
      fc.property(nearly, (text) => {
        if (!isIPv6(text)) expect(() => parseIPv6(text)).toThrow(RangeError);
        else expect(formatIPv6(parseIPv6(text))).toBe(canonical(text.replace(/%.*/s, "")));
      }),
    );
  });

  test.each([
    ["::ffff:10.0.0.1", "::ffff:a00:1"],
    ["64:ff9b::1.2.3.4%eth0", "64:ff9b::102:304"],
    ["FE80:0:0:0:1:0:0:1", "fe80::1:0:0:1"],
  ])("%s is %s", (text, expected) => {
    expect(formatIPv6(parseIPv6(text))).toBe(expected);
  });
});
