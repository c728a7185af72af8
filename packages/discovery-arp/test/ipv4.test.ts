import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  contains,
  covers,
  formatIPv4,
  formatSubnet,
  hostsOf,
  parseIPv4,
  parseSubnet,
  type Subnet,
  sizeOf,
} from "../src/ipv4.ts";

const subnet = (text: string): Subnet => {
  const parsed = parseSubnet(text);
  if (!parsed) throw new TypeError(`${text} is no subnet`);
  return parsed;
};

describe("an IPv4 address", () => {
  it("is read and written the same", () => {
    fc.assert(
      fc.property(fc.ipV4(), (text) => formatIPv4(parseIPv4(text) ?? -1) === text),
      { seed: 1 },
    );
  });

  it.each([
    "",
    "10.0.0",
    "10.0.0.0.1",
    "10.0.0.256",
    "10.0.0.-1",
    "010.0.0.1",
    "::1",
    "::ffff:10.0.0.1",
    "a.b.c.d",
    " 10.0.0.1",
  ])("is not %j", (text) => expect(parseIPv4(text)).toBeNull());
});

describe("a subnet", () => {
  it.each([
    ["10.1.2.3/8", "10.0.0.0/8"],
    ["192.168.1.77/24", "192.168.1.0/24"],
    ["192.168.1.77", "192.168.1.77/32"],
    ["255.255.255.255/0", "0.0.0.0/0"],
  ])("%s is %s", (text, expected) => {
    expect(formatSubnet(subnet(text))).toBe(expected);
  });

  it.each(["10.0.0.0/33", "10.0.0.0/", "10.0.0.0/8/8", "10.0.0.0/-1", "fe80::/10", "10.0.0.0/a"])(
    "is not %j",
    (text) => expect(parseSubnet(text)).toBeNull(),
  );

  it.each([
    ["10.0.0.0/24", 254, "10.0.0.1", "10.0.0.254"],
    ["10.0.0.0/30", 2, "10.0.0.1", "10.0.0.2"],
    ["10.0.0.2/31", 2, "10.0.0.2", "10.0.0.3"],
    ["10.0.0.7/32", 1, "10.0.0.7", "10.0.0.7"],
  ])("%s has %i hosts, from %s to %s", (text, count, first, last) => {
    const hosts = [...hostsOf(subnet(text))].map(formatIPv4);
    expect(hosts).toHaveLength(count);
    expect([hosts[0], hosts.at(-1)]).toEqual([first, last]);
  });

  it("holds its addresses and its subnets, and no others", () => {
    expect(contains(subnet("10.1.0.0/16"), parseIPv4("10.1.255.255") ?? 0)).toBe(true);
    expect(contains(subnet("10.1.0.0/16"), parseIPv4("10.2.0.0") ?? 0)).toBe(false);
    expect(covers(subnet("10.1.0.0/16"), subnet("10.1.7.0/24"))).toBe(true);
    expect(covers(subnet("10.1.7.0/24"), subnet("10.1.0.0/16"))).toBe(false);
    expect(sizeOf(subnet("10.1.0.0/22"))).toBe(1_024);
  });
});
