import type { SeenAddress } from "@lmserv/discovery-core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isOwnAddress, ownAddresses, rankAddresses, type System, type Vantage } from "../src/index.ts";
import { readFixture } from "./fixture.ts";

const lo = { type: 772, flags: 0x49, addresses: ["127.0.0.1/8", "::1/128"] };
const podman = { bridge: true, lowers: ["v"], addresses: ["10.88.0.1/16"] };
const eth0 = { device: true, addresses: ["10.0.0.7/24", "2001:db8::7/64", "fe80::7/64"] };
const wt0 = { type: 65_534, flags: 0xd1, addresses: ["100.64.0.7/16"] };

const system = readFixture({ lo, wt0, "cni-podman0": podman, v: { master: "cni-podman0" }, eth0 });
const alone = readFixture({ lo });

function rank(announced: readonly string[], vantage: Partial<Vantage> = {}): string[] {
  const ranked = rankAddresses(announced, { from: null, local: false, system, ...vantage });
  return ranked.map(({ address, reach }) => `${address} ${reach}`);
}

describe("this machine", () => {
  test("is where others can reach it: IPv4 first, LANs before tunnels, never where its guests can", () => {
    expect(ownAddresses(system)).toEqual(["10.0.0.7", "100.64.0.7", "2001:db8::7"]);
  });

  test("is at its link-local addresses where it has no others", () => {
    const cable = readFixture({ lo, eth0: { device: true, addresses: ["fe80::7/64", "169.254.7.7/16"] } });
    expect(ownAddresses(cable)).toEqual(["169.254.7.7", "fe80::7"]);
  });

  test("is at loopback where it has no network, and nowhere where it has not even that", () => {
    expect(ownAddresses(alone)).toEqual(["127.0.0.1", "::1"]);
    expect(ownAddresses(readFixture({}))).toEqual([]);
  });
});

describe("a node of another machine", () => {
  test.each<[string, string[], string | null, string[]]>([
    [
      "where its packets come from",
      ["10.0.0.9", "10.9.0.9"],
      "10.0.0.9",
      ["10.0.0.9 source", "10.9.0.9 routed"],
    ],
    [
      "on a link of this machine's, or beyond",
      ["10.9.0.9", "100.64.0.9"],
      null,
      ["10.9.0.9 routed", "100.64.0.9 on-link"],
    ],
    ["never at an address of this machine", ["10.88.0.1", "192.168.2.7"], null, ["192.168.2.7 routed"]],
    [
      "never at loopback",
      ["127.0.0.1", "::1", "::ffff:127.0.0.1", "192.168.2.7"],
      null,
      ["192.168.2.7 routed"],
    ],
    ["nowhere, when it names nothing else", ["10.88.0.1", "127.0.0.1", "10.0.0.7"], null, []],
    [
      "never at an address of nobody",
      ["0.0.0.0", "224.0.0.1", "10.0.0.255", "10.0.0.0", "10.0.0.9"],
      null,
      ["10.0.0.9 on-link"],
    ],
    [
      "not among this machine's guests, when it is elsewhere too",
      ["10.88.0.9", "192.168.2.7"],
      null,
      ["192.168.2.7 routed"],
    ],
    ["among this machine's guests, when it is nowhere else", ["10.88.0.9"], null, ["10.88.0.9 routed"]],
    [
      "among this machine's guests, when its packets come from there",
      ["10.88.0.9", "192.168.2.7"],
      "10.88.0.9",
      ["10.88.0.9 source", "192.168.2.7 routed"],
    ],
    [
      "where its packets come from, behind a translated address",
      ["192.168.2.7"],
      "10.0.0.9",
      ["192.168.2.7 routed", "10.0.0.9 on-link"],
    ],
    [
      "where its packets come from, when it names nothing usable",
      ["0.0.0.0"],
      "10.0.0.9",
      ["10.0.0.9 on-link"],
    ],
    [
      "not at loopback, where a tunnel of this machine's ends",
      ["10.0.0.7", "192.168.2.7"],
      "127.0.0.1",
      ["192.168.2.7 routed"],
    ],
    ["at a link-local address", ["169.254.1.2"], null, ["169.254.1.2 link-local"]],
    ["on the only link that there is", ["fe80::9"], null, ["fe80::9%eth0 link-local"]],
    ["on the link that its packets came over", ["fe80::9"], "fe80::9%wlan0", ["fe80::9%wlan0 source"]],
    ["once, however it spells that", ["::ffff:10.0.0.9", "10.0.0.9"], null, ["10.0.0.9 on-link"]],
  ])("is %s", (_, announced, from, ranked) => {
    expect(rank(announced, { from })).toEqual(ranked);
  });

  test("that names a link-local address of one of many links is nowhere", () => {
    const eth1 = { device: true, addresses: ["10.1.0.7/24", "fe80::8/64"] };
    expect(rank(["fe80::9"], { system: readFixture({ lo, eth0, eth1 }) })).toEqual([]);
  });

  test("is never at an address of this machine or of nobody, whatever it names", () => {
    const address = fc.oneof(
      fc.constantFrom("10.0.0.7", "10.88.0.1", "100.64.0.7", "fe80::7", "127.0.0.1", "10.0.0.255", "0.0.0.0"),
      fc.constantFrom("::ffff:10.88.0.1", "2001:DB8:0::7", "64:ff9b::7f00:1", "fe80::7%eth0"),
      fc.ipV4(),
      fc.ipV6(),
    );
    const from = fc.option(address);
    fc.assert(
      fc.property(fc.array(address, { maxLength: 8 }), from, (announced, from) => {
        const ranked = rankAddresses(announced, { from, local: false, system });
        expect(ranked.filter(isWrong)).toEqual([]);
      }),
    );
  });
});

describe("a node of this machine", () => {
  test.each<[string, string[], System, string[]]>([
    [
      "at each of its addresses",
      ["10.0.0.7", "10.88.0.1"],
      system,
      ["10.0.0.7 on-link", "10.88.0.1 on-link"],
    ],
    ["at loopback, without a network", ["127.0.0.1"], alone, ["127.0.0.1 loopback"]],
    ["still at no address of nobody", ["0.0.0.0", "::", "10.0.0.255"], system, []],
  ])("is %s", (_, announced, on, ranked) => {
    expect(rank(announced, { local: true, system: on })).toEqual(ranked);
  });
});

function isWrong({ address }: SeenAddress): boolean {
  const isNobodys =
    address === "10.0.0.255" || address === "0.0.0.0" || /^127\.|^::1$|^64:ff9b::7f00:/.test(address);
  return isOwnAddress(address, system) || isNobodys;
}
