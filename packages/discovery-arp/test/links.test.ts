import type { NetworkInterfaceInfo } from "node:os";
import { describe, expect, it } from "vitest";
import { isNamed, type LinkTraits, listLinks } from "../src/links.ts";
import { info, linkOf } from "./lan.ts";

const ethernet: LinkTraits = { type: 1, flags: 0x1003 };

function kindOf(name: string, traits: LinkTraits | null, infos?: NetworkInterfaceInfo[]): string | undefined {
  return listLinks({ [name]: infos ?? [info("192.168.1.7/24")] }, () => traits)[0]?.kind;
}

describe("a link", () => {
  it.each([
    ["eth0", "lan"],
    ["enp3s0", "lan"],
    ["wlp2s0", "lan"],
    ["en0", "lan"],
    ["Ethernet", "lan"],
    ["br0", "lan"],
    ["docker0", "guests"],
    ["br-0123456789ab", "guests"],
    ["virbr0", "guests"],
    ["vethe83c1f2", "guests"],
    ["vEthernet (WSL)", "guests"],
    ["bridge100", "guests"],
    ["tun0", "tunnel"],
    ["wg0", "tunnel"],
    ["tailscale0", "tunnel"],
    ["utun3", "tunnel"],
    ["zt3jnkc4tx", "tunnel"],
  ])("called %s leads to: %s", (name, kind) => {
    expect(kindOf(name, null)).toBe(kind);
  });

  it("that the kernel says is no Ethernet, or has no ARP, is a tunnel whatever its name", () => {
    expect(kindOf("office", { type: 65_534, flags: 0x10d1 })).toBe("tunnel");
    expect(kindOf("office", { type: 1, flags: 0x10d1 })).toBe("tunnel");
    expect(kindOf("office", ethernet)).toBe("lan");
  });

  it("that is internal leads to this machine", () => {
    expect(kindOf("lo", { type: 772, flags: 9 }, [{ ...info("127.0.0.1/8"), internal: true }])).toBe(
      "loopback",
    );
  });

  it("without an address is none", () => {
    expect(listLinks({ eth1: [] }, () => null)).toEqual([]);
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
