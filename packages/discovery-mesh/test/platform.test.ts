import type { NetworkInterfaceInfo } from "node:os";
import { systemOf } from "@lmserv/discovery-network";
import { describe, expect, test } from "vitest";
import { reachableAddresses, urlsOf } from "../src/platform.ts";

function info(cidr: string, internal: boolean = false): NetworkInterfaceInfo {
  const [address = ""] = cidr.split("/");
  const shared = { address, cidr, internal, mac: "02:00:00:00:00:01", netmask: "" };
  return address.includes(":") ? { ...shared, family: "IPv6", scopeid: 0 } : { ...shared, family: "IPv4" };
}

const loopback = { lo: [info("127.0.0.1/8", true), info("::1/128", true)] };
const system = systemOf({
  ...loopback,
  eth0: [info("2001:db8::7/64"), info("fe80::7/64"), info("10.0.0.7/24")],
  docker0: [info("172.17.0.1/16")],
});

describe("this machine", () => {
  test("is where it listens", () => {
    expect(reachableAddresses([{ host: "127.0.0.1", port: 1 }], system)).toEqual(["127.0.0.1"]);
    expect(reachableAddresses([{ host: "0.0.0.0", port: 1 }], system)).toEqual(["10.0.0.7", "2001:db8::7"]);
    expect(reachableAddresses([], system)).toEqual(["10.0.0.7", "2001:db8::7"]);
  });

  test("can be dialled where something listens", () => {
    const addresses = ["10.0.0.7", "2001:db8::7"];
    expect(urlsOf([{ host: "0.0.0.0", port: 7946 }], addresses, false)).toEqual(["ws://10.0.0.7:7946"]);
    expect(urlsOf([{ host: "::", port: 7946 }], addresses, true)).toEqual(["wss://[2001:db8::7]:7946"]);
    expect(urlsOf([], addresses, false)).toEqual([]);
  });
});
