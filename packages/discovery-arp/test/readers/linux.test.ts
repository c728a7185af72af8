import { describe, expect, it } from "vitest";
import { parseArpAn, parseIpNeigh, parseProcNetArp } from "../../src/neighbors/formats.ts";

// Output of Linux 6.18 with iproute2 6.1 and net-tools 2.10, for entries made by hand.

const procNetArp = `IP address       HW type     Flags       HW address            Mask     Device
10.77.0.2        0x1         0x2         02:00:0a:4d:00:02     *        eth0
10.77.0.3        0x1         0x0         02:00:0a:4d:00:03     *        eth0
10.77.0.4        0x1         0x0         00:00:00:00:00:00     *        eth0
10.77.0.5        0x1         0x6         02:00:0a:4d:00:05     *        eth0
10.77.0.6        0x1         0xc         00:00:00:00:00:00     *        eth0
10.77.0.7        0x1         0xe         02:00:0a:4d:00:07     *        eth0
172.17.0.2       0x1         0x2         02:42:ac:11:00:02     *        docker0
`;

const ipNeigh = `[{"dst":"10.77.0.2","dev":"eth0","lladdr":"02:00:0a:4d:00:02","state":["STALE"]},
{"dst":"10.77.0.3","dev":"eth0","state":["FAILED"]},{"dst":"10.77.0.4","dev":"eth0","state":["INCOMPLETE"]},
{"dst":"10.77.0.5","dev":"eth0","lladdr":"02:00:0a:4d:00:05","state":["PERMANENT"]},
{"dst":"10.77.0.6","dev":"eth0","proxy":null},
{"dst":"10.77.0.8","dev":"eth0","lladdr":"02:00:0a:4d:00:08","state":["REACHABLE"]},
{"dst":"fe80::aff:fe4d:2","dev":"eth0","lladdr":"02:00:0a:4d:00:02","router":null,"state":["DELAY"]}]`;

const arpAn = `? (10.77.0.2) at 02:00:0a:4d:00:02 [ether] on eth0
? (10.77.0.3) at <incomplete> on eth0
? (10.77.0.5) at 02:00:0a:4d:00:05 [ether] PERM on eth0
? (10.77.0.6) at <from_interface> PERM PUP on eth0
`;

const addresses = (found: readonly { readonly address: string }[]) => found.map(({ address }) => address);

describe("on Linux", () => {
  it("/proc/net/arp is read by its flags: what failed keeps its MAC, and is left out all the same", () => {
    expect(parseProcNetArp(procNetArp)).toEqual([
      { address: "10.77.0.2", mac: "02:00:0a:4d:00:02", link: "eth0" },
      { address: "10.77.0.5", mac: "02:00:0a:4d:00:05", link: "eth0" },
      { address: "172.17.0.2", mac: "02:42:ac:11:00:02", link: "docker0" },
    ]);
  });

  it("ip -j neigh is read by its states, of both families", () => {
    expect(addresses(parseIpNeigh(ipNeigh))).toEqual([
      "10.77.0.2",
      "10.77.0.5",
      "10.77.0.8",
      "fe80::aff:fe4d:2",
    ]);
  });

  it("arp -an of net-tools is read without what is incomplete or answered for in place of others", () => {
    expect(addresses(parseArpAn(arpAn))).toEqual(["10.77.0.2", "10.77.0.5"]);
  });

  it.each([
    "",
    "\n",
    "{",
    "[1,null,{}]",
    '{"dst":5}',
    '"x"',
    "\u0000\uffff".repeat(1_000),
    "( ) at on".repeat(10_000),
  ])("nonsense is no neighbour", (text) => {
    const table = `IP address\n${text}`;
    expect([...parseProcNetArp(table), ...parseIpNeigh(text), ...parseArpAn(text)]).toEqual([]);
  });

  it("an empty file in the place of /proc/net/arp is not taken for a table without neighbours", () => {
    expect(() => parseProcNetArp("")).toThrow("not the table of the kernel");
  });
});
