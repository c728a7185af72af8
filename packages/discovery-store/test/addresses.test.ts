import type { NetworkInterfaceInfo } from "node:os";
import type { Discovery, Log } from "@lmserv/discovery-core";
import { type ListedInterfaces, type MachineMark, unknownMachine } from "@lmserv/discovery-network";
import { VirtualClock } from "@lmserv/discovery-testkit";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { MemoryStore } from "./memory-store.ts";
import { PlainHost } from "./plain-host.ts";
import { mark, openSite } from "./site.ts";

const others: MachineMark = { ...unknownMachine, stack: "6".repeat(16) };
const bridge = "10.88.0.1";

let clock: VirtualClock;
let store: MemoryStore;
let discovery: Discovery;
let logged: unknown[];
let listed: ListedInterfaces;

beforeEach(async () => {
  clock = new VirtualClock();
  store = new MemoryStore();
  logged = [];
  listed = { lo: [infoOf("127.0.0.1", true)], "cni-podman0": [infoOf(bridge)], eth0: [infoOf("10.0.0.7")] };
  const log: Log = (_level, _message, details) => logged.push(details);
  discovery = await openSite(store, clock, { listed: () => listed, log });
});
afterEach(() => discovery[Symbol.asyncDispose]());

function infoOf(address: string, internal = false): NetworkInterfaceInfo {
  const rest = { netmask: "255.255.255.0", mac: "02:00:00:00:00:01", cidr: `${address}/24` };
  return { address, ...rest, family: "IPv4", internal };
}

/** Listed addresses of a node whose record names these. */
async function addressesOf(named: readonly string[], machine?: MachineMark): Promise<unknown> {
  const host = new PlainHost();
  const node = { id: "node", port: 8_000, info: "" };
  const value = host.valueOf(node, "default", { addresses: named, ...(machine && { machine }) });
  store.put(host.keyOf(node), value);
  await clock.advance(0);
  return discovery.registry.listAlive().map(({ addresses }) => addresses);
}

describe("a node of another machine", () => {
  test.each([
    [[bridge, "10.9.0.9"], ["10.9.0.9"]],
    [["127.0.0.1", "::1", "10.0.0.7", "10.0.0.9"], ["10.0.0.9"]],
    [["0.0.0.0", "::ffff:0.0.0.0", "224.0.0.1", "10.0.0.255", "10.9.0.9"], ["10.9.0.9"]],
  ])("that names %j is listed at %j", async (named, addresses) => {
    expect(await addressesOf(named, others)).toEqual([addresses]);
    expect(logged).not.toContainEqual(expect.objectContaining({ why: "address" }));
  });

  test.each([[[bridge]], [["127.0.0.1"]], [["10.0.0.7"]], [["0.0.0.0"]], [[]]])(
    "that names nothing but %j is not listed, for a reason that is logged",
    async (named) => {
      expect(await addressesOf(named, others)).toEqual([]);
      expect(logged).toContainEqual(expect.objectContaining({ why: "address", count: 1 }));
    },
  );

  test("goes when its only address becomes this machine's, and comes when it is that no more", async () => {
    expect(await addressesOf(["10.9.0.9"], others)).toEqual([["10.9.0.9"]]);
    const before = listed;
    listed = { ...listed, tun0: [infoOf("10.9.0.9")] };
    await clock.advance(20_000);
    expect(discovery.registry.listAlive()).toHaveLength(0);
    listed = before;
    await clock.advance(20_000);
    expect(discovery.registry.listAlive()).toHaveLength(1);
  });
});

describe("a node of this machine", () => {
  test.each([[["10.0.0.7", bridge]], [["127.0.0.1"]]])("is listed at %j", async (named) => {
    expect(await addressesOf(named, mark)).toEqual([named]);
  });

  test("without a mark is listed at none of this machine's addresses", async () => {
    expect(await addressesOf(["10.0.0.7", "10.9.0.9"])).toEqual([["10.9.0.9"]]);
  });
});
