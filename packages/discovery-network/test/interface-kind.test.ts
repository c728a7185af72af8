import { describe, expect, test } from "vitest";
import { kindByName } from "../src/index.ts";
import { defaultRoute, type NetworkFixture, readFixture } from "./fixture.ts";

const lo = { type: 772, flags: 0x49, addresses: ["127.0.0.1/8", "::1/128"] };
const eth0 = { device: true, addresses: ["10.0.0.7/24"] };
const veth = (master: string) => ({ master });

function kindsOf(links: NetworkFixture, options?: Parameters<typeof readFixture>[1]): unknown {
  return Object.fromEntries(readFixture(links, options).interfaces.map(({ name, kind }) => [name, kind]));
}

describe("an interface of a machine with hardware", () => {
  test.each<[string, NetworkFixture, string]>([
    ["that is a network card", { x: { ...eth0 } }, "lan"],
    ["that is InfiniBand", { x: { ...eth0, type: 32, mac: `${"80:".repeat(19)}01` } }, "lan"],
    ["of WireGuard", { x: { type: 65_534, flags: 0xd1, addresses: ["100.64.0.7/16"] } }, "tunnel"],
    ["called wt0", { wt0: { type: 65_534, flags: 0xd1, addresses: ["100.64.0.7/16"] } }, "tunnel"],
    [
      "that is a tun",
      { x: { type: 65_534, flags: 0x1091, tunFlags: 0x1001, addresses: ["10.8.0.2/24"] } },
      "tunnel",
    ],
    ["that is a tap", { x: { tunFlags: 0x1002, addresses: ["10.9.0.2/24"] } }, "tunnel"],
    ["that is point to point", { x: { type: 512, flags: 0x10d1, addresses: ["10.64.64.64/32"] } }, "tunnel"],
    ["that is Ethernet without ARP", { x: { flags: 0xc1, addresses: ["10.4.0.1/24"] } }, "tunnel"],
    ["that is a VXLAN", { x: { devtype: "vxlan", addresses: ["10.244.0.0/32"] } }, "tunnel"],
    [
      "that is a bridge of a container",
      { x: { bridge: true, lowers: ["v"], addresses: ["172.17.0.1/16"] }, v: veth("x") },
      "guests",
    ],
    [
      "that is a bridge of a virtual machine",
      {
        x: { bridge: true, lowers: ["t"], addresses: ["192.168.122.1/24"] },
        t: { tunFlags: 0x1002, master: "x" },
      },
      "guests",
    ],
    ["that is a bridge of nobody", { x: { bridge: true, addresses: ["10.88.0.1/16"] } }, "guests"],
    [
      "called br0 that is a bridge of a container",
      { br0: { bridge: true, lowers: ["v"], addresses: ["10.88.0.1/16"] }, v: veth("br0") },
      "guests",
    ],
    [
      "that is a bridge with a network card",
      {
        x: { bridge: true, lowers: ["v", "p"], addresses: ["10.1.0.1/24"] },
        v: veth("x"),
        p: { device: true, master: "x" },
      },
      "lan",
    ],
    [
      "called docker0 that is a bridge with a network card",
      {
        docker0: { bridge: true, lowers: ["p"], addresses: ["10.1.0.1/24"] },
        p: { device: true, master: "docker0" },
      },
      "lan",
    ],
    [
      "that is a bridge with a VLAN of a network card",
      {
        x: { bridge: true, lowers: ["p.7"], addresses: ["10.1.0.1/24"] },
        "p.7": { devtype: "vlan", master: "x", lowers: ["p"] },
        p: { device: true },
      },
      "lan",
    ],
    [
      "that is a bridge with an overlay",
      {
        x: { bridge: true, lowers: ["vx"], addresses: ["10.1.0.1/24"] },
        vx: { devtype: "vxlan", master: "x" },
      },
      "lan",
    ],
    [
      "that is a bond",
      {
        x: { devtype: "bond", lowers: ["p", "q"], addresses: ["10.1.0.1/24"] },
        p: { device: true, master: "x" },
        q: { device: true, master: "x" },
      },
      "lan",
    ],
    [
      "that is a VLAN on a bond",
      {
        x: { devtype: "vlan", lowers: ["b"], addresses: ["10.1.0.1/24"] },
        b: { devtype: "bond", lowers: ["p"] },
        p: { device: true, master: "b" },
      },
      "lan",
    ],
    [
      "that is a VLAN on a bridge of a container",
      {
        x: { devtype: "vlan", lowers: ["b"], addresses: ["10.1.0.1/24"] },
        b: { bridge: true, lowers: ["v"] },
        v: veth("b"),
      },
      "guests",
    ],
    [
      "that is a macvlan",
      { x: { devtype: "macvlan", lowers: ["p"], addresses: ["10.1.0.1/24"] }, p: { device: true } },
      "lan",
    ],
    ["that is a virtual cable to a guest", { x: { addresses: ["10.0.3.1/28"] } }, "guests"],
    [
      "that is below itself",
      { x: { lowers: ["y"], addresses: ["10.0.3.1/28"] }, y: { lowers: ["x"] } },
      "guests",
    ],
  ])("%s", (_, links, kind) => {
    const name = Object.keys(links)[0] ?? "";
    expect(kindsOf({ ...links, lo, card: { device: true } })).toMatchObject({ [name]: kind, lo: "loopback" });
  });

  test("leads out where the default route does", () => {
    const links = { eth0, br0: { bridge: true, lowers: ["v"], addresses: ["10.1.0.1/24"] }, v: veth("br0") };
    expect(kindsOf(links, { routes: defaultRoute("br0") })).toEqual({ eth0: "lan", br0: "lan" });
    expect(kindsOf(links)).toEqual({ eth0: "lan", br0: "guests" });
  });

  test("stays a tunnel where the default route leaves through it", () => {
    const tun0 = { type: 65_534, flags: 0x1091, tunFlags: 0x1001, addresses: ["10.8.0.2/24"] };
    expect(kindsOf({ eth0, tun0 }, { routes: defaultRoute("tun0") })).toEqual({
      eth0: "lan",
      tun0: "tunnel",
    });
  });
});

describe("an interface of a container", () => {
  const cable = { addresses: ["10.77.0.1/24"] };
  const podman = { bridge: true, lowers: ["v"], addresses: ["10.88.0.1/16"] };

  test("is its way out, and a bridge of its own containers is not", () => {
    expect(kindsOf({ lo, cable, "cni-podman0": podman, v: veth("cni-podman0") })).toEqual({
      lo: "loopback",
      cable: "lan",
      "cni-podman0": "guests",
    });
  });

  test("is no way out where it is a port of a bridge, also with an address of its own", () => {
    const v = { ...veth("cni-podman0"), addresses: ["fe80::d0a3:feff:fe4f:780/64"] };
    expect(kindsOf({ lo, cable, "cni-podman0": podman, v })).toMatchObject({ cable: "lan", v: "guests" });
  });

  test("is a bridge when that is the only way out", () => {
    expect(kindsOf({ lo, br0: podman, v: veth("br0") })).toMatchObject({ br0: "lan" });
    expect(kindsOf({ lo, docker0: podman, v: veth("docker0") })).toMatchObject({ docker0: "guests" });
  });

  test("is a bridge when the way out is one of its ports", () => {
    const br0 = { bridge: true, lowers: ["eth0"], addresses: ["10.77.0.1/24"] };
    const links = { lo, br0, eth0: { master: "br0" }, docker0: podman, v: veth("docker0") };
    expect(kindsOf(links)).toMatchObject({ br0: "lan", docker0: "guests" });
  });
});

describe("an interface without traits", () => {
  test.each([
    ["eth0", "lan"],
    ["enp3s0", "lan"],
    ["en0", "lan"],
    ["Ethernet", "lan"],
    ["Wi-Fi", "lan"],
    ["br0", "lan"],
    ["lo0", "loopback"],
    ["docker0", "guests"],
    ["br-0123456789ab", "guests"],
    ["virbr0", "guests"],
    ["vethe83c1f2", "guests"],
    ["cni-podman0", "guests"],
    ["vEthernet (WSL)", "guests"],
    ["bridge100", "guests"],
    ["tun0", "tunnel"],
    ["wg0", "tunnel"],
    ["wt0", "tunnel"],
    ["tailscale0", "tunnel"],
    ["utun3", "tunnel"],
    ["zt3jnkc4tx", "tunnel"],
  ])("called %s leads to: %s", (name, kind) => {
    expect(kindByName(name)).toBe(kind);
    expect(kindsOf({ [name]: { addresses: ["10.0.0.1/8"] } }, { sysfs: false })).toEqual({ [name]: kind });
  });

  test("has none of an interface of another network that is called the same", () => {
    const foreign = { eth0: { ...eth0, type: 65_534, foreign: true }, eth1: { ...eth0, type: 65_534 } };
    expect(kindsOf(foreign)).toEqual({ eth0: "lan", eth1: "tunnel" });
  });
});
