import type { ResolvedAnnouncement } from "@lmserv/discovery-core/transport";
import { systemOf } from "@lmserv/discovery-network";
import { seededRandom, VirtualClock } from "@lmserv/discovery-testkit";
import { beforeEach, describe, expect, test } from "vitest";
import { collect, type Heard, type OpenEndpoint, openEndpoint, Segment } from "../segment.ts";

// Another program holds UDP port 5353 of one family, and lets it go.

const never = new AbortController();
const node: ResolvedAnnouncement = { id: "box", info: "gpu", port: 8_000 };
let clock: VirtualClock;
let segment: Segment;

beforeEach(() => {
  clock = new VirtualClock();
  segment = new Segment(clock);
});

async function open(): Promise<OpenEndpoint> {
  return openEndpoint(segment.machine("10.0.0.1", { ipv6: "fe80::1" }), clock);
}

/** Seconds at which packets of a type left over IPv4. */
function overIPv4(type: "query" | "response"): number[] {
  const isMeant = ({ packet, from }: Heard): boolean => packet.type === type && from.address === "10.0.0.1";
  return segment.heard.filter(isMeant).map(({ atMs }) => Math.round(atMs / 1_000));
}

describe("a family whose port is held", () => {
  test("is told once, while the other goes on", async () => {
    segment.held.add("IPv4");
    const { session, reports } = await open();
    await session.announce?.(node, never);
    await clock.advance(600_000);
    expect(segment.heard.map(({ from }) => from.address)).toEqual(Array(4).fill("fe80::1%eth0"));
    expect(reports).toEqual([
      {
        code: "ADDRESS_IN_USE",
        message:
          "UDP port 5353 cannot be used on eth0 over IPv4: bind EADDRINUSE 224.0.0.251:5353; the other family goes on, and this one is tried again",
      },
    ]);
  });

  test("is announced on and asked over once it is free", async () => {
    segment.held.add("IPv4");
    const { session, reports } = await open();
    await session.announce?.(node, never);
    collect(session, clock);
    await clock.advance(8_000);
    expect([overIPv4("query"), overIPv4("response")]).toEqual([[], []]);
    segment.held.delete("IPv4");
    await clock.advance(12_000);
    expect(overIPv4("response").slice(0, 4)).toEqual([9, 10, 12, 16]);
    expect(overIPv4("query").slice(0, 4)).toEqual([9, 10, 12, 16]);
    expect(reports.map(({ code }) => code)).toEqual(["ADDRESS_IN_USE", "NO_ANSWER"]);
  });

  test("is heard over once it is free", async () => {
    segment.held.add("IPv4");
    const { session } = await open();
    const { seen } = collect(session, clock);
    const other = await openEndpoint(segment.machine("10.0.0.2"), clock, seededRandom(2)).catch(() => null);
    expect(other).toBeNull();
    segment.held.delete("IPv4");
    const { session: announcer } = await openEndpoint(segment.machine("10.0.0.2"), clock, seededRandom(2));
    await announcer.announce?.(node, never);
    await clock.advance(2_000);
    expect(seen.filter(({ kind }) => kind === "alive")).toEqual([]);
    await clock.advance(3_000);
    expect(seen.find(({ kind }) => kind === "alive")).toMatchObject({ node: { id: "box" } });
  });

  test("is tried less and less often, at most every half a minute", async () => {
    segment.held.add("IPv6");
    const attempts: number[] = [];
    // The longest pause of each back-off.
    const longest = (): number => 1 - Number.EPSILON;
    const machine = segment.machine("10.0.0.1", { ipv6: "fe80::1" });
    await openEndpoint(
      {
        ...machine,
        openLink: (on, events, its) =>
          machine.openLink(
            on,
            {
              ...events,
              degraded: (family, error) => {
                attempts.push(Math.round(clock.now() / 1_000));
                events.degraded(family, error);
              },
            },
            its,
          ),
      },
      clock,
      longest,
    );
    await clock.advance(140_000);
    expect(attempts).toEqual([0, 3, 9, 21, 45, 75, 105, 135]);
  });

  test("keeps a chosen name silent until it is known to be free there, too", async () => {
    segment.held.add("IPv4");
    const { session } = await open();
    const announced = session.announce?.({ ...node, name: "Box" }, never);
    await clock.advance(1_100);
    await announced;
    segment.held.delete("IPv4");
    await clock.advance(3_200);
    const probes = segment.heard.filter(
      ({ packet, from }) => (packet.authorities?.length ?? 0) > 0 && from.address === "10.0.0.1",
    );
    expect(probes).toHaveLength(3);
    expect(overIPv4("response")).toEqual([4]);
  });
});

describe("an interface that comes later", () => {
  test("gets the family that was held, as well", async () => {
    const machine = segment.machine("10.0.0.1", { ipv6: "fe80::1" });
    const { interfaces } = machine;
    const first = segment.machine("10.0.9.1", { name: "eth9" });
    const found = { ...first.interfaces() };
    const owner = (name: string): typeof machine => (name === "eth9" ? first : machine);
    const endpoint = await openEndpoint(
      {
        ...machine,
        system: () => systemOf(found),
        openLink: (on, events, its) => owner(on.name).openLink(on, events, its),
      },
      clock,
    );
    await endpoint.session.announce?.(node, never);
    await clock.advance(10_000);
    segment.held.add("IPv4");
    Object.assign(found, interfaces());
    await clock.advance(10_000);
    expect(overIPv4("response")).toEqual([]);
    expect(endpoint.reports).toHaveLength(1);
    segment.held.delete("IPv4");
    await clock.advance(10_000);
    expect(overIPv4("response").length).toBeGreaterThan(0);
  });

  test("says anew what is wrong when it was away", async () => {
    const machine = segment.machine("10.0.0.1", { ipv6: "fe80::1" });
    const { interfaces } = machine;
    let isUp = true;
    const loopback = segment.machine("10.0.9.1", { name: "eth9" });
    const endpoint = await openEndpoint(
      {
        ...machine,
        system: () => systemOf({ ...loopback.interfaces(), ...(isUp && interfaces()) }),
        openLink: (on, events, its) => (on.name === "eth9" ? loopback : machine).openLink(on, events, its),
      },
      clock,
    );
    expect(endpoint.reports).toEqual([]);
    for (const up of [false, true]) {
      isUp = up;
      segment.held.add("IPv4");
      await clock.advance(4_000);
    }
    expect(endpoint.reports).toHaveLength(1);
    segment.held.delete("IPv4");
    await clock.advance(4_000);
    for (const up of [false, true]) {
      isUp = up;
      segment.held.add("IPv4");
      await clock.advance(4_000);
    }
    expect(endpoint.reports).toHaveLength(2);
  });
});
