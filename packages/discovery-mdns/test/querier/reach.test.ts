import { systemOf } from "@lmserv/discovery-network";
import { describe, expect, test } from "vitest";
import type { NetworkInterface } from "../../src/link/interfaces.ts";
import { rankAddresses, type Vantage } from "../../src/querier/reach.ts";
import { infoOf } from "../segment.ts";

// This machine is 10.0.0.1 on a LAN and 10.0.1.1 on another; it has containers on docker0 and a VPN.

const system = systemOf({
  lo: [infoOf("127.0.0.1", 8)],
  eth0: [infoOf("10.0.0.1", 24), infoOf("fe80::1", 64)],
  eth1: [infoOf("10.0.1.1", 24)],
  docker0: [infoOf("172.17.0.1", 16)],
  wg0: [infoOf("10.8.0.1", 24)],
});

function interfaceOf(wanted: string): NetworkInterface {
  const found = system.interfaces.find(({ name }) => name === wanted);
  if (!found) throw new Error(`no interface ${wanted}`);
  return { ...found, loopback: found.kind === "loopback" };
}

/** The ranked addresses, each with its reach. */
function rank(announced: readonly string[], vantage: Partial<Vantage> = {}): string[] {
  const ranked = rankAddresses(announced, {
    on: interfaceOf("eth0"),
    sources: ["10.0.0.2"],
    isTrusted: false,
    system,
    ...vantage,
  });
  return ranked.map(({ address, reach }) => `${address} ${reach}`);
}

describe("an address that no other host has", () => {
  test.each([
    "0.0.0.0",
    "0.1.2.3",
    "::",
    "127.0.0.1",
    "127.255.3.4",
    "::1",
    "0:0:0:0:0:0:0:1",
    "224.0.0.251",
    "ff02::fb",
    "255.255.255.255",
    "240.0.0.1",
    "10.0.0.255",
    "10.0.0.0",
    "10.0.1.255",
    "::ffff:0.0.0.0",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "::ffff:224.0.0.1",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::1",
  ])("%s is left out, and the packet's source stands in", (address) => {
    expect(rank([address])).toEqual(["10.0.0.2 on-link"]);
    expect(rank([address], { isTrusted: true })).toEqual(["10.0.0.2 on-link"]);
    expect(rank([address, "10.0.0.2"], { isTrusted: true })).toEqual(["10.0.0.2 source"]);
  });

  test("does not stand in either, where the packet came from one", () => {
    expect(rank(["127.0.0.1"], { sources: ["0.0.0.0"] })).toEqual([]);
    expect(rank(["0.0.0.0"], { sources: ["10.0.0.255"] })).toEqual([]);
  });
});

describe("an address of this machine", () => {
  test.each(["10.0.0.1", "10.0.1.1", "172.17.0.1", "10.8.0.1", "fe80::1", "::ffff:10.0.0.1"])(
    "%s is not another host's",
    (address) => {
      expect(rank([address])).toEqual(["10.0.0.2 on-link"]);
      expect(rank([address], { isTrusted: true })).toEqual(["10.0.0.2 on-link"]);
      expect(rank([address, "10.0.0.2"])).toEqual(["10.0.0.2 source"]);
    },
  );

  test.each(["10.0.0.1", "10.0.1.1"])("is its own node's, whose packet came from %s", (source) => {
    const vantage = { sources: [source], isTrusted: true };
    expect(rank([source, "172.17.0.1"], vantage)).toEqual([`${source} source`, "172.17.0.1 on-link"]);
  });

  test("stands in for the loopback address of its own node", () => {
    expect(rank(["127.0.1.1"], { sources: ["10.0.0.1"] })).toEqual(["10.0.0.1 on-link"]);
  });

  test("may be loopback on the loopback interface", () => {
    const on = interfaceOf("lo");
    expect(rank(["127.0.0.1"], { on, sources: ["127.0.0.1"] })).toEqual(["127.0.0.1 loopback"]);
  });
});

describe("an address among this machine's guests", () => {
  test("is another container's than the announcer's", () => {
    expect(rank(["172.17.0.5"])).toEqual(["10.0.0.2 on-link"]);
    expect(rank(["172.17.0.5", "192.168.5.7"])).toEqual(["192.168.5.7 routed", "10.0.0.2 doubtful"]);
  });

  test("is the node's that was heard there", () => {
    const vantage = { on: interfaceOf("docker0"), sources: ["172.17.0.5"] };
    expect(rank(["172.17.0.5"], vantage)).toEqual(["172.17.0.5 source"]);
  });
});

describe("a packet that was passed on", () => {
  const router = { sources: ["10.0.0.254"] };

  test.each([false, true])("leads to the node, and not to the router (identity: %s)", (isTrusted) => {
    const [first] = rank(["192.168.5.7"], { ...router, isTrusted });
    expect(first).toBe("192.168.5.7 routed");
  });

  test("leads to the router last, whichever family it and the node have", () => {
    expect(rank(["2001:db8::7"], router)).toEqual(["2001:db8::7 routed", "10.0.0.254 doubtful"]);
    expect(rank(["192.168.5.7"], { sources: ["2001:db8::fe", "10.0.0.254"] })).toEqual([
      "192.168.5.7 routed",
      "10.0.0.254 doubtful",
      "2001:db8::fe doubtful",
    ]);
  });

  test("keeps the order of all that is announced, bridges last", () => {
    expect(rank(["172.18.0.1", "192.168.5.7", "2001:db8::7"], router)).toEqual([
      "192.168.5.7 routed",
      "2001:db8::7 routed",
      "10.0.0.254 doubtful",
      "172.18.0.1 doubtful",
    ]);
  });

  test("leads to where this machine is itself before all else", () => {
    expect(rank(["10.0.1.7"], router)).toEqual(["10.0.1.7 on-link"]);
  });
});

describe("a host that knows only its bridge", () => {
  test.each(["172.18.0.1", "10.88.0.1", "192.168.122.1", "10.0.2.15"])(
    "announces %s: the packet's source goes first",
    (bridge) => {
      expect(rank([bridge])).toEqual(["10.0.0.2 on-link", `${bridge} doubtful`]);
      expect(rank(["127.0.1.1", bridge])).toEqual(["10.0.0.2 on-link", `${bridge} doubtful`]);
    },
  );

  test("and its address as well is where the packet came from", () => {
    expect(rank(["172.18.0.1", "10.0.0.2"])).toEqual(["10.0.0.2 source", "172.18.0.1 doubtful"]);
  });
});

describe("a link-local address", () => {
  test("has the zone of the interface", () => {
    expect(rank(["fe80::2"], { sources: ["fe80::2%eth0"] })).toEqual(["fe80::2%eth0 source"]);
  });

  test("comes after where the packet came from", () => {
    expect(rank(["169.254.7.7"])).toEqual(["10.0.0.2 on-link", "169.254.7.7 link-local"]);
  });

  test("of one link may be this machine's on another", () => {
    expect(rank(["fe80::1"], { on: interfaceOf("eth1"), sources: ["fe80::1%eth1"] })).toEqual([
      "fe80::1%eth1 source",
    ]);
  });
});
