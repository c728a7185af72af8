import { systemOf } from "@lmserv/discovery-network";
import { describe, expect, it } from "vitest";
import { isNamed, listLinks } from "../src/links.ts";
import { linkOf } from "./lan.ts";

describe("a link", () => {
  it("leads to what its interface leads to, with its IPv4 subnets", () => {
    const { name, kind, subnets } = linkOf("docker0", "172.17.0.1/16");
    expect({ name, kind, subnets }).toEqual({
      name: "docker0",
      kind: "guests",
      subnets: [{ address: "172.17.0.1", subnet: { base: 0xac_11_00_00, prefixLength: 16 } }],
    });
  });

  it("without an address is none", () => {
    expect(listLinks(systemOf({ eth1: [] }))).toEqual([]);
  });

  it("is named by its name, an address, or an address with its zone", () => {
    const link = linkOf("eth0", "192.168.1.7/24");
    expect(isNamed(link, ["eth0"])).toBe(true);
    expect(isNamed(link, ["wlan0", "192.168.1.7"])).toBe(true);
    expect(isNamed(link, ["192.168.1.7%eth0"])).toBe(true);
    expect(isNamed(link, ["192.168.1.7%eth1"])).toBe(false);
    expect(isNamed(link, ["192.168.1.8"])).toBe(false);
  });
});
