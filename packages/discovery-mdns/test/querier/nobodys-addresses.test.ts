import { Registry } from "@lmserv/discovery-core/transport";
import { VirtualClock } from "@lmserv/discovery-testkit";
import type { Answer } from "dns-packet";
import { beforeEach, expect, test } from "vitest";
import { collect, openEndpoint, Segment } from "../segment.ts";

// A node announces addresses that no host has.

const type = "_lmserv._tcp.local";
const instance = `box.${type}`;
const peer = "10.0.0.2";
const target = "box.local";

let clock: VirtualClock;
let segment: Segment;
let seen: ReturnType<typeof collect>["seen"];

beforeEach(async () => {
  clock = new VirtualClock();
  segment = new Segment(clock);
  const { session } = await openEndpoint(segment.machine("10.0.0.1"), clock);
  ({ seen } = collect(session, clock));
  await clock.advance(0);
});

function addressRecord(data: string): Answer {
  return { type: data.includes(":") ? "AAAA" : "A", name: target, ttl: 120, flush: true, data };
}

/** URLs that users see for a node with these addresses. */
async function urlsOf(...addresses: string[]): Promise<(string | null)[]> {
  const answers: Answer[] = [
    { type: "PTR", name: type, ttl: 4_500, data: instance },
    { type: "SRV", name: instance, ttl: 120, flush: true, data: { port: 8_003, target } },
    { type: "TXT", name: instance, ttl: 4_500, flush: true, data: ["info=box", "id=box", "path=/chat"] },
    ...addresses.map(addressRecord),
  ];
  segment.inject({ type: "response", flags: 0x400, answers }, peer);
  await clock.advance(10);
  const registry = new Registry();
  return seen.flatMap((one) => registry.apply(one, one.atMs).map(({ node }) => node.url));
}

test.each([
  "0.0.0.0",
  "127.0.0.1",
  "127.8.8.8",
  "224.0.0.251",
  "255.255.255.255",
  "10.0.0.255",
  "10.0.0.1",
  "::",
  "::1",
  "ff02::fb",
  "::ffff:0.0.0.0",
  "::ffff:127.0.0.1",
  "::ffff:10.0.0.1",
  "64:ff9b::127.0.0.1",
])("%s leads to where the packet came from", async (address) => {
  expect(await urlsOf(address)).toEqual([`http://${peer}:8003/chat`]);
});

test("they take no room from the real one", async () => {
  const nobodys = Array.from({ length: 40 }, (_, index) => `0.0.0.${index}`);
  expect(await urlsOf(...nobodys, peer)).toEqual([`http://${peer}:8003/chat`]);
  expect(seen[0]).toMatchObject({ node: { addresses: [{ address: peer, reach: "source" }] } });
});
