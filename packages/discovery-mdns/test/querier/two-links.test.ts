import { Registry } from "@lmserv/discovery-core/transport";
import { VirtualClock } from "@lmserv/discovery-testkit";
import type { Packet } from "dns-packet";
import { beforeEach, describe, expect, test } from "vitest";
import { collect, joined, openEndpoint, Segment } from "../segment.ts";

// A host on two links answers on each with its address there, like a responder that sets no identity.

const type = "_lmserv._tcp.local";
let clock: VirtualClock;
let links: readonly [Segment, Segment];

interface Service {
  readonly instance?: string;
  readonly target?: string;
  readonly port?: number;
}

function response(
  address: string,
  { instance = `box.${type}`, target = "box.local", port = 8_000 }: Service = {},
): Packet {
  return {
    type: "response",
    flags: 0x400,
    answers: [
      { type: "PTR", name: type, ttl: 4_500, data: instance },
      { type: "SRV", name: instance, ttl: 120, flush: true, data: { port, target } },
      { type: "TXT", name: instance, ttl: 4_500, flush: true, data: ["info=gpu"] },
      { type: "A", name: target, ttl: 120, flush: true, data: address },
    ],
  };
}

beforeEach(() => {
  clock = new VirtualClock();
  links = [new Segment(clock), new Segment(clock)];
});

/** List of a machine on both links, each of which tells of a service. */
async function listed(second: Service = {}): Promise<unknown> {
  const [left, right] = links;
  const machine = joined(left.machine("10.0.0.1"), right.machine("10.0.1.1", { name: "eth1" }));
  const { session } = await openEndpoint(machine, clock);
  const { seen } = collect(session, clock);
  await clock.advance(500);
  left.inject(response("10.0.0.2"), "10.0.0.2");
  right.inject(response("10.0.1.2", second), "10.0.1.2");
  await clock.advance(500);
  const registry = new Registry();
  for (const observation of seen) registry.apply(observation, clock.now());
  return registry.listAlive().map(({ addresses, port }) => ({ addresses: [...addresses].sort(), port }));
}

describe("a service without an identity that is heard on two links", () => {
  test("is one node with the addresses of both", async () => {
    expect(await listed()).toEqual([{ addresses: ["10.0.0.2", "10.0.1.2"], port: 8_000 }]);
  });

  test("is the same in whatever case it is written", async () => {
    const shouted = await listed({ instance: `BOX.${type}`, target: "Box.LOCAL" });
    expect(shouted).toEqual([{ addresses: ["10.0.0.2", "10.0.1.2"], port: 8_000 }]);
  });

  test.each<[string, Service]>([
    ["name", { instance: `box (2).${type}` }],
    ["host", { target: "box-2.local" }],
    ["port", { port: 8_001 }],
  ])("is two nodes where its %s differs", async (_, second) => {
    expect(await listed(second)).toEqual([
      { addresses: ["10.0.0.2"], port: 8_000 },
      { addresses: ["10.0.1.2"], port: second.port ?? 8_000 },
    ]);
  });
});
