import { type Observation, Registry } from "@lmserv/discovery-core/transport";
import { VirtualClock } from "@lmserv/discovery-testkit";
import { fakeService, response } from "@lmserv/test-netlab/raw-peer";
import type { Answer } from "dns-packet";
import { beforeEach, describe, expect, test } from "vitest";
import { collect, openEndpoint, Segment } from "../segment.ts";

const own = { address: "10.0.0.1", ipv6: "fe80::1" };
const peer = { address: "10.0.0.2", ipv6: "fe80::2%eth0" };
const { ptr, srv, txt, a } = fakeService("_lmserv._tcp.local", { label: "Box", address: peer.address });
const aaaa: Answer = { type: "AAAA", name: a.name, ttl: 120, flush: true, data: "fe80::2" };

let clock: VirtualClock;
let segment: Segment;

beforeEach(() => {
  clock = new VirtualClock();
  segment = new Segment(clock);
});

/** Browses on a host with both families, and collects the reports. */
async function browse(): Promise<ReturnType<typeof collect>["seen"]> {
  const machine = segment.machine(own.address, { ipv6: own.ipv6 });
  const { session } = await openEndpoint(machine, clock);
  return collect(session, clock).seen;
}

/** The peer answers every question for its SRV record, over the family of the question. */
function keepAnswering(additionals: Answer[]): void {
  segment.loses = ({ packet, from }) => {
    const isAsked =
      packet.type === "query" && packet.questions?.some((question) => question.type === "SRV") === true;
    if (isAsked)
      clock.schedule(1, () =>
        segment.inject(response({ answers: [srv], additionals }), peerOf(from.address)),
      );
    return false;
  };
}

function peerOf(asker: string): string {
  return asker.includes(":") ? peer.ipv6 : peer.address;
}

/** Families of our questions for its SRV record, as the first letters of our addresses. */
function askedOver(): string[] {
  return segment.heard
    .filter(({ packet }) => packet.type === "query" && packet.questions?.some(({ type }) => type === "SRV"))
    .map(({ from }) => from.address);
}

/** Changes that users see after these observations. */
function told(observations: readonly Observation[]): string[] {
  const registry = new Registry();
  return observations.flatMap((observation, ms) =>
    registry.apply(observation, ms).map(({ kind, node }) => `${kind} ${node.id} at ${node.host}`),
  );
}

describe("a node without an identity", () => {
  test("that is heard over IPv6 first stays one node when IPv4 comes late", async () => {
    const seen = await browse();
    segment.inject(response({ answers: [ptr], additionals: [srv, txt, aaaa] }), peer.ipv6);
    await clock.advance(700);
    expect(told(seen)).toEqual([`up [fe80::2%eth0]:8000 at ${peer.ipv6}`]);
    segment.inject(response({ answers: [ptr], additionals: [srv, txt, a, aaaa] }), peer.address);
    await clock.advance(10);
    expect(told(seen)).toEqual([
      `up [fe80::2%eth0]:8000 at ${peer.ipv6}`,
      `updated [fe80::2%eth0]:8000 at ${peer.address}`,
    ]);
  });

  test("keeps its name while signs of life come over IPv4 alone, for hours", async () => {
    const seen = await browse();
    segment.inject(response({ answers: [ptr], additionals: [srv, txt, aaaa] }), peer.ipv6);
    await clock.advance(700);
    keepAnswering([txt, a, aaaa]);
    segment.inject(response({ answers: [ptr], additionals: [srv, txt, a, aaaa] }), peer.address);
    await clock.advance(2 * 3_600_000);
    expect(askedOver().slice(-20)).toEqual(Array<string>(20).fill(own.address));
    expect(told(seen).map((line) => line.split(" ")[0])).toEqual(["up", "updated"]);
  });
});

describe("a family over which a node was never heard", () => {
  const announcement = response({ answers: [ptr], additionals: [srv, txt, a, aaaa] });

  test("is asked over once when it has an address there, whose packet proves it", async () => {
    const seen = await browse();
    keepAnswering([txt, a, aaaa]);
    segment.inject(announcement, peer.address);
    await clock.advance(600_000);
    expect(askedOver().filter((address) => address.includes(":"))).toHaveLength(1);
    expect(seen.at(-1)).toMatchObject({
      node: {
        addresses: [
          { address: peer.address, reach: "source" },
          { address: peer.ipv6, reach: "source" },
        ],
      },
    });
  });

  test("is left alone when it has none", async () => {
    await browse();
    keepAnswering([txt, a]);
    segment.inject(response({ answers: [ptr], additionals: [srv, txt, a] }), peer.address);
    await clock.advance(600_000);
    expect(new Set(askedOver())).toEqual(new Set([own.address]));
  });
});

test("the list is asked for over both families at first, then over each in turn", async () => {
  await browse();
  await clock.advance(70_000);
  const asked = segment.heard.map(({ atMs, from }) => [
    Math.round(atMs / 1_000),
    from.address.includes(":") ? 6 : 4,
  ]);
  expect(asked).toEqual([
    ...[0, 1, 3, 7].flatMap((s) => [
      [s, 4],
      [s, 6],
    ]),
    [15, 4],
    [31, 6],
    [63, 4],
  ]);
});
