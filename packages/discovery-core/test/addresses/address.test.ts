import { BlockList, isIP } from "node:net";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  canonicalAddress,
  compareReach,
  formatEndpoint,
  isIPv6,
  isLinkLocal,
  isLoopback,
  parseAddress,
} from "../../src/authors.ts";
import { at } from "../observations.ts";

describe("an address", () => {
  test.each([
    ["10.0.0.1", { v6: false, linkLocal: false, loopback: false }],
    ["127.0.0.1", { v6: false, linkLocal: false, loopback: true }],
    ["127.255.0.3", { v6: false, linkLocal: false, loopback: true }],
    ["12.7.0.1", { v6: false, linkLocal: false, loopback: false }],
    ["169.254.1.1", { v6: false, linkLocal: true, loopback: false }],
    ["169.25.4.1", { v6: false, linkLocal: false, loopback: false }],
    ["::1", { v6: true, linkLocal: false, loopback: true }],
    ["2001:db8::1", { v6: true, linkLocal: false, loopback: false }],
    ["fe80::1%eth0", { v6: true, linkLocal: true, loopback: false }],
    ["FEBF::1", { v6: true, linkLocal: true, loopback: false }],
    ["fec0::1", { v6: true, linkLocal: false, loopback: false }],
    ["fe8::1", { v6: true, linkLocal: false, loopback: false }],
  ])("%s is %o", (address, is) => {
    expect({ v6: isIPv6(address), linkLocal: isLinkLocal(address), loopback: isLoopback(address) }).toEqual(
      is,
    );
  });

  test("is joined to its port as in a URL", () => {
    expect(formatEndpoint("10.0.0.1", 8000)).toBe("10.0.0.1:8000");
    expect(formatEndpoint("2001:db8::1", 8000)).toBe("[2001:db8::1]:8000");
  });
});

test("addresses are ordered by reach, and IPv4 before IPv6 at equal reach", () => {
  const ordered = [
    at("10.0.0.1", "source"),
    at("2001:db8::1", "source"),
    at("10.0.0.2", "on-link"),
    at("2001:db8::2", "on-link"),
    at("172.17.0.1", "routed"),
    at("169.254.0.1", "link-local"),
    at("fe80::1%eth0", "source"),
    at("127.0.0.1", "loopback"),
    at("::1", "loopback"),
  ];
  expect([...ordered].reverse().sort(compareReach)).toEqual(ordered);
});

describe("an address by value", () => {
  test.each([
    ["127.0.0.1", "127.0.0.1"],
    ["::ffff:127.0.0.1", "127.0.0.1"],
    ["::FFFF:7f00:1", "127.0.0.1"],
    ["0:0:0:0:0:0:0:1", "::1"],
    ["2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
    ["64:ff9b::192.0.2.1", "64:ff9b::c000:201"],
    ["FE80::1%eth0", "fe80::1%eth0"],
    ["::", "::"],
  ])("%s is %s", (text, canonical) => {
    expect(canonicalAddress(text)).toBe(canonical);
    expect(parseAddress(canonical)).toEqual(parseAddress(text));
  });

  test.each([
    "",
    "1.2.3",
    "1.2.3.4.5",
    "01.2.3.4",
    "1.2.3.256",
    ":",
    "1::2::3",
    ":1::2",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3",
  ])("%j is none", (text) => expect(parseAddress(text)).toBeNull());

  test.each([
    "::12345",
    "g::1",
    "1.2.3.4::1",
    "fe80::1%",
    "fe80::1%a%b",
    "::ffff:1.2.3.4%eth0",
    "1::2:3:4:5:6:7:8",
  ])("%j is none either", (text) => expect(parseAddress(text)).toBeNull());

  test("is read as Node reads it", () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), fc.stringMatching(/^[0-9a-f:.]{0,20}$/)), (text) => {
        expect(parseAddress(text) !== null).toBe(isIP(text) !== 0);
        const ours = parseAddress(canonicalAddress(text));
        const block = new BlockList();
        if (!ours) return;
        block.addAddress(text, text.includes(":") ? "ipv6" : "ipv4");
        const canonical = canonicalAddress(text);
        expect(block.check(canonical, canonical.includes(":") ? "ipv6" : "ipv4")).toBe(true);
      }),
    );
  });

  test("is loopback or link-local in every spelling", () => {
    expect(["::ffff:127.0.0.1", "0:0::1", "::ffff:7f01:203"].map(isLoopback)).toEqual([true, true, true]);
    expect(["64:ff9b::7f00:1", "::2", "::"].map(isLoopback)).toEqual([false, false, false]);
    expect(["::ffff:169.254.1.1", "FE80:0::1", "febf::1%1"].map(isLinkLocal)).toEqual([true, true, true]);
  });
});
