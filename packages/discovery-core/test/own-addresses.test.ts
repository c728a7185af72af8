import type { NetworkInterfaceInfo } from "node:os";
import { describe, expect, test } from "vitest";
import { ownAddresses, rankAddresses, subnetsOf } from "../src/own-addresses.ts";

function info(cidr: string, internal: boolean = false): NetworkInterfaceInfo {
  const [address = ""] = cidr.split("/");
  const shared = { address, cidr, internal, mac: "02:00:00:00:00:01", netmask: "" };
  return address.includes(":") ? { ...shared, family: "IPv6", scopeid: 0 } : { ...shared, family: "IPv4" };
}

const loopback = { lo: [info("127.0.0.1/8", true), info("::1/128", true)] };
const system = {
  ...loopback,
  eth0: [info("2001:db8::7/64"), info("fe80::7/64"), info("10.0.0.7/24")],
  docker0: [info("172.17.0.1/16")],
};

test("is where others can reach it, IPv4 first, and not where its containers can", () => {
  expect(ownAddresses(system)).toEqual(["10.0.0.7", "2001:db8::7"]);
  expect(ownAddresses(loopback)).toEqual(["127.0.0.1", "::1"]);
  expect(ownAddresses({})).toEqual([]);
});

describe("an address of a host", () => {
  const near = subnetsOf(system);
  test.each([
    [["10.0.0.9", "10.9.0.9"], "10.0.0.9", ["source", "routed"]],
    [["10.0.0.9", "10.9.0.9", "127.0.0.1"], null, ["on-link", "routed", "loopback"]],
    [["127.0.0.1"], "127.0.0.1", ["loopback"]],
    [["169.254.1.2"], null, ["link-local"]],
    [["192.168.1.5"], "10.9.9.9", ["routed", "on-link"]],
    [["10.0.0.7"], "127.0.0.1", ["on-link"]],
  ])("of %j, seen from %j, answers as %j", (announced, remote, reaches) => {
    expect(rankAddresses(announced, remote, near).map(({ reach }) => reach)).toEqual(reaches);
  });
});
