import type { NetworkInterfaceInfo } from "node:os";
import type { ResolvedAnnouncement } from "@lmserv/discovery-core/transport";
import { type MachineMark, systemOf, unknownMachine } from "@lmserv/discovery-network";
import { beforeEach, describe, expect, test } from "vitest";
import { LocalMember } from "../src/local-member.ts";
import { Platform } from "../src/platform.ts";

let localMember: LocalMember;

beforeEach(() => {
  const system = () => systemOf({ eth0: [infoOf("10.0.0.1")], eth1: [infoOf("10.0.1.1")] });
  const mark = (): MachineMark => ({ ...unknownMachine, stack: "5".repeat(16) });
  const platform = new Platform({ system, hostname: () => "box", mark });
  localMember = new LocalMember({ id: "me", platform, advertise: null, secure: false });
  localMember.listening = [{ host: "0.0.0.0", port: 7_946 }];
});

function infoOf(address: string): NetworkInterfaceInfo {
  const netmask = "255.255.255.0";
  const mac = "02:00:00:00:00:01";
  return { address, netmask, mac, cidr: `${address}/24`, family: "IPv4", internal: false };
}

function put(id: string, addresses?: readonly string[]): void {
  const node: ResolvedAnnouncement = { id, port: 8_000, info: "", ...(addresses && { addresses }) };
  localMember.put(node, () => {});
}

describe("a record", () => {
  test("names every address of the machine while its nodes name none", () => {
    put("a");
    expect(localMember.statement().addresses).toEqual(["10.0.0.1", "10.0.1.1"]);
    expect(localMember.statement().machine.stack).toBe("5".repeat(16));
  });

  test("names only where its nodes answer, beside every URL at which the member does", () => {
    put("a", ["10.0.1.1", "127.0.0.1"]);
    const { addresses, urls, nodes } = localMember.statement();
    expect(addresses).toEqual(["10.0.1.1"]);
    expect(urls).toEqual(["ws://10.0.0.1:7946", "ws://10.0.1.1:7946"]);
    expect(nodes).toEqual([{ id: "a", port: 8_000, info: "", hostname: "box" }]);
    expect(localMember.seen().addresses).toEqual([{ address: "10.0.1.1", reach: "on-link" }]);
  });

  test("has one list for all its nodes", () => {
    put("a", ["10.0.1.1"]);
    put("b", ["10.0.0.1"]);
    expect(new Set(localMember.statement().addresses)).toEqual(new Set(["10.0.0.1", "10.0.1.1"]));
  });

  test("names what peers see of a machine behind a translated address, too", () => {
    put("a", ["10.0.1.1"]);
    localMember.observe("192.0.2.7");
    expect(localMember.statement().addresses).toEqual(["10.0.1.1", "192.0.2.7"]);
  });
});
