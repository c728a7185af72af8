import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseSubnet, type Subnet } from "../src/ipv4.ts";
import { maxTargets, type PlanOptions, planSweep, type SweepPlan } from "../src/sweep/plan.ts";
import { linkOf } from "./lan.ts";

const subnets = (...texts: string[]): Subnet[] => texts.flatMap((text) => parseSubnet(text) ?? []);

function told(options: PlanOptions): { swept: string[]; omitted: string[] } {
  const { ranges, omissions } = planSweep(options);
  return {
    swept: ranges.map(({ link, subnet, count }) => `${link} ${subnet} ${count}`),
    omitted: omissions.map(({ what, reason, surprising }) => `${surprising ? "!" : ""}${what}: ${reason}`),
  };
}

const addressesOf = ({ targets }: SweepPlan): string[] => targets.map(({ address }) => address);

describe("a plan", () => {
  it("asks every address of a private /24 but this machine's own, from that one", () => {
    const plan = planSweep({ links: [linkOf("eth0", "192.168.1.7/24")] });
    expect(plan.ranges).toEqual([{ link: "eth0", subnet: "192.168.1.0/24", count: 253 }]);
    expect(plan.omissions).toEqual([]);
    expect(addressesOf(plan)).not.toContain("192.168.1.7");
    expect(addressesOf(plan)).not.toContain("192.168.1.0");
    expect(addressesOf(plan)).not.toContain("192.168.1.255");
    expect(new Set(plan.targets.map(({ from }) => from))).toEqual(new Set(["192.168.1.7"]));
  });

  it("asks a whole /22, and of anything larger this machine's /24 only", () => {
    expect(told({ links: [linkOf("eth0", "10.1.2.3/22")] })).toEqual({
      swept: ["eth0 10.1.0.0/22 1021"],
      omitted: [],
    });
    for (const prefix of [21, 20, 16, 8]) {
      const { swept, omitted } = told({ links: [linkOf("eth0", `10.1.2.3/${prefix}`)] });
      expect(swept).toEqual(["eth0 10.1.2.0/24 253"]);
      expect(omitted).toEqual([
        expect.stringMatching(/^!eth0 .*more than 1024 addresses: only 10\.1\.2\.0\/24 is/),
      ]);
    }
  });

  it.each([
    [
      "a public network",
      "198.51.100.7/24",
      /^!eth0 198\.51\.100\.0\/24: it is not a private network; name it/,
    ],
    ["the shared range of carriers", "100.64.0.7/24", /^!.*not a private network/],
    ["an address that it gave itself", "169.254.3.4/16", /^!.*not a private network/],
    ["a network of one", "10.1.2.3/32", /^eth0 10\.1\.2\.3\/32: a subnet of one address/],
  ])("leaves out %s", (_, cidr, reason) => {
    const { swept, omitted } = told({ links: [linkOf("eth0", cidr)] });
    expect(swept).toEqual([]);
    expect(omitted).toEqual([expect.stringMatching(reason)]);
  });

  it("leaves out containers, tunnels and this machine itself", () => {
    const lo = { ...linkOf("lo", "127.0.0.1/8"), kind: "loopback" as const };
    const links = [
      lo,
      linkOf("docker0", "172.17.0.1/16"),
      linkOf("wg0", "10.9.0.2/24"),
      linkOf("tun0", "10.8.0.2/24"),
    ];
    expect(told({ links })).toEqual({
      swept: [],
      omitted: [
        "lo: it leads to this machine itself",
        "docker0: it leads to this machine's own guests; name it to sweep it",
        "wg0: a tunnel has no neighbours to ask for by ARP",
        "tun0: a tunnel has no neighbours to ask for by ARP",
      ],
    });
  });

  it("takes a public network or containers that are named, and nothing else then", () => {
    const links = [
      linkOf("eth0", "198.51.100.7/24"),
      linkOf("eth1", "10.0.0.1/24"),
      linkOf("docker0", "172.17.0.1/24"),
    ];
    expect(told({ links, wanted: ["eth0", "172.17.0.1"] })).toEqual({
      swept: ["eth0 198.51.100.0/24 253", "docker0 172.17.0.0/24 253"],
      omitted: ["eth1: it was not named"],
    });
  });

  it("says that a tunnel that is named cannot be swept", () => {
    expect(told({ links: [linkOf("wg0", "10.9.0.2/24")], wanted: ["wg0"] }).omitted).toEqual([
      "!wg0: a tunnel has no neighbours to ask for by ARP",
    ]);
  });

  it("asks only the ranges that are given, as far as they are this machine's own", () => {
    const links = [linkOf("eth0", "10.1.2.3/16"), linkOf("eth1", "192.168.1.1/24")];
    expect(told({ links, subnets: subnets("10.1.77.0/28", "192.168.0.0/16", "203.0.113.0/24") })).toEqual({
      swept: ["eth0 10.1.77.0/28 14", "eth1 192.168.1.0/24 253"],
      omitted: ["!203.0.113.0/24: it is no subnet of a link of this machine"],
    });
  });

  it("does not take a range as wide as the world for the name of a public network", () => {
    const links = [linkOf("eth0", "198.51.100.7/24"), linkOf("eth1", "10.0.0.1/24")];
    expect(told({ links, subnets: subnets("0.0.0.0/0") }).swept).toEqual(["eth1 10.0.0.0/24 253"]);
    expect(told({ links, subnets: subnets("198.51.100.0/24") }).swept).toEqual(["eth0 198.51.100.0/24 253"]);
  });

  it("does not reach through a tunnel for a range that is given", () => {
    const { swept, omitted } = told({
      links: [linkOf("wg0", "10.9.0.2/24")],
      subnets: subnets("10.9.0.0/24"),
    });
    expect(swept).toEqual([]);
    expect(omitted).toContain("!10.9.0.0/24: it is no subnet of a link of this machine");
  });

  it("leaves out what is excluded", () => {
    const links = [linkOf("eth0", "10.0.0.1/28")];
    const plan = planSweep({ links, exclude: subnets("10.0.0.4/30", "10.0.0.14") });
    expect(addressesOf(plan)).toEqual([2, 3, 8, 9, 10, 11, 12, 13].map((last) => `10.0.0.${last}`));
  });

  it("asks an address that two links share once", () => {
    const links = [linkOf("eth0", "10.0.0.1/24"), linkOf("wlan0", "10.0.0.2/24")];
    expect(told({ links }).swept).toEqual(["eth0 10.0.0.0/24 252"]);
  });

  it("asks 1,024 addresses at most, and says what had no room", () => {
    const links = [1, 2, 3, 4, 5].map((third) => linkOf(`eth${third}`, `10.0.${third}.1/24`));
    const { targets, omissions } = planSweep({ links });
    expect(targets).toHaveLength(maxTargets);
    expect(omissions.map(({ what, surprising }) => [what, surprising])).toEqual([["eth5 10.0.5.0/24", true]]);
  });

  it("never asks more than it may, its own addresses, or what is excluded, whatever there is", () => {
    const cidr = fc
      .tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 }))
      .map(([address, length]) => `${address}/${length}`);
    const link = fc.tuple(
      fc.constantFrom("eth0", "wlan0", "docker0", "tun0"),
      fc.array(cidr, { minLength: 1, maxLength: 3 }),
    );
    fc.assert(
      fc.property(
        fc.array(link, { maxLength: 4 }),
        fc.option(fc.array(cidr)),
        fc.array(cidr),
        (pairs, given, excluded) => {
          const links = pairs.map(([name, cidrs]) => linkOf(name, ...cidrs));
          const exclude = subnets(...excluded);
          const plan = planSweep({ links, exclude, ...(given && { subnets: subnets(...given) }) });
          const asked = addressesOf(plan);
          const own = links.flatMap(({ addresses }) => addresses.map(({ address }) => address));
          expect(asked.length).toBeLessThanOrEqual(maxTargets);
          expect(new Set(asked).size).toBe(asked.length);
          expect(asked.filter((address) => own.includes(address))).toEqual([]);
          expect(plan.ranges.reduce((sum, { count }) => sum + count, 0)).toBe(asked.length);
        },
      ),
      { seed: 7 },
    );
  });
});
