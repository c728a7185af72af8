import { describe, expect, test } from "vitest";
import { compareReach, formatEndpoint, isIPv6, isLinkLocal, isLoopback } from "../src/index.ts";
import { at } from "./observations.ts";

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
