import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isHostAddress } from "../src/index.ts";

const nobodys = [
  "0.0.0.0",
  "0.1.2.3",
  "127.0.0.1",
  "127.255.255.254",
  "192.0.0.8",
  "224.0.0.251",
  "239.255.255.250",
  "240.0.0.1",
  "255.255.255.255",
];
const hosts = ["10.88.0.1", "169.254.7.7", "172.17.0.1", "192.0.2.7", "192.0.1.1", "8.8.8.8", "100.64.0.1"];

function hex(ipv4: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = ipv4.split(".").map(Number);
  return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
}

/** IPv6 spellings of an IPv4 address, and IPv6 addresses that lead to it. */
const spellings: readonly ((ipv4: string) => string)[] = [
  (ipv4) => `::ffff:${ipv4}`,
  (ipv4) => `::FFFF:${hex(ipv4)}`,
  (ipv4) => `0:0:0:0:0:ffff:${ipv4}`,
  (ipv4) => `::ffff:0:${ipv4}`,
  (ipv4) => `64:ff9b::${ipv4}`,
  (ipv4) => `64:ff9b::${hex(ipv4)}`,
  (ipv4) => `0064:FF9B:0:0:0:0:${hex(ipv4)}`,
  (ipv4) => `64:ff9b:1::${ipv4}`,
  (ipv4) => `2002:${hex(ipv4)}::1`,
];

describe("an address that another host has", () => {
  test.each(nobodys)("is not %s, however it is spelled", (ipv4) => {
    expect([ipv4, ...spellings.map((spell) => spell(ipv4))].filter(isHostAddress)).toEqual([]);
  });

  test.each(hosts)("may be %s, however it is spelled", (ipv4) => {
    const all = [ipv4, ...spellings.map((spell) => spell(ipv4))];
    expect(all.filter(isHostAddress)).toEqual(all);
  });

  test.each(["::", "::1", "0:0:0:0:0:0:0:1", "::%eth0", "::127.0.0.1", "ff02::fb", "FF05::2", "100::1"])(
    "is not %s",
    (address) => expect(isHostAddress(address)).toBe(false),
  );

  test.each(["fe80::1", "fe80::1%eth0", "fd00::7", "2001:db8::1", "2606:4700::1111"])(
    "may be %s",
    (address) => {
      expect(isHostAddress(address)).toBe(true);
    },
  );

  test.each([
    "",
    "host",
    "10.0.0",
    "10.0.0.256",
    "010.0.0.1",
    "1::2::3",
    "fd00::7%eth0",
    "fe80::1%",
    "10.0.0.1%1",
  ])("is not %j", (text) => expect(isHostAddress(text)).toBe(false));

  test("is none of the networks of nobody, whatever the rest", () => {
    const byte = fc.integer({ min: 0, max: 255 });
    const first = fc.oneof(fc.constantFrom(0, 127), fc.integer({ min: 224, max: 255 }));
    fc.assert(
      fc.property(first, byte, byte, byte, fc.constantFrom(...spellings), (a, b, c, d, spell) => {
        const ipv4 = `${a}.${b}.${c}.${d}`;
        expect([isHostAddress(ipv4), isHostAddress(spell(ipv4))]).toEqual([false, false]);
      }),
    );
  });
});
