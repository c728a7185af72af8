import type { Registration, ResolvedAnnouncement } from "@lmserv/discovery-core/transport";
import { VirtualClock } from "@lmserv/discovery-testkit";
import type { Answer } from "dns-packet";
import { beforeEach, describe, expect, test } from "vitest";
import { collect, joined, type OpenEndpoint, openEndpoint, Segment } from "../segment.ts";

// A server answers only at some of its machine's addresses.

const never = new AbortController();
const node: ResolvedAnnouncement = { id: "box", info: "gpu", port: 8_000 };
let clock: VirtualClock;
/** Two links; the machine is 10.0.0.1 on the first and 10.0.1.1 on the second. */
let left: Segment;
let right: Segment;
let endpoint: OpenEndpoint;

beforeEach(async () => {
  clock = new VirtualClock();
  left = new Segment(clock);
  right = new Segment(clock);
  const machine = joined(
    left.machine("10.0.0.1", { name: "eth0", ipv6: "fe80::1" }),
    right.machine("10.0.1.1", { name: "eth1", ipv6: "fe80::2" }),
  );
  endpoint = await openEndpoint(machine, clock);
});

async function announce(addresses?: readonly string[]): Promise<Registration> {
  const registration = await endpoint.session.announce?.({ ...node, ...(addresses && { addresses }) }, never);
  if (!registration) throw new Error("cannot announce");
  return registration;
}

function answersOn({ heard }: Segment): Answer[] {
  return heard.flatMap(({ packet }) => (packet.type === "response" ? (packet.answers ?? []) : []));
}

/** Values of the A and AAAA records on a link; a star marks a goodbye. */
function addressesOn(segment: Segment): string[] {
  const said = answersOn(segment).flatMap((answer) =>
    answer.type === "A" || answer.type === "AAAA" ? [`${answer.data}${answer.ttl === 0 ? "*" : ""}`] : [],
  );
  return [...new Set(said)];
}

function goodbyesOn(segment: Segment): string[] {
  return answersOn(segment).flatMap((answer) => ("ttl" in answer && answer.ttl === 0 ? [answer.type] : []));
}

describe("an announcement", () => {
  test("without addresses names on each link all of its own", async () => {
    await announce();
    expect([addressesOn(left), addressesOn(right)]).toEqual([
      ["10.0.0.1", "fe80::1"],
      ["10.0.1.1", "fe80::2"],
    ]);
    expect(endpoint.reports).toEqual([]);
  });

  test("names on a link those at which the server answers", async () => {
    await announce(["10.0.0.1", "fe80::2%eth1"]);
    expect([addressesOn(left), addressesOn(right)]).toEqual([["10.0.0.1"], ["fe80::2"]]);
    expect(endpoint.reports).toEqual([]);
  });

  test("is not made on a link where it answers at none; a warning names the interface", async () => {
    await announce(["10.0.0.1"]);
    await clock.advance(10_000);
    expect(addressesOn(left)).toEqual(["10.0.0.1"]);
    expect(right.heard).toEqual([]);
    expect(endpoint.reports).toEqual([
      {
        code: "SERVER_UNREACHABLE",
        message:
          "the server on port 8000 does not answer at 10.0.1.1, fe80::2, so that it is not announced on eth1; let it listen on all addresses to be found there",
      },
    ]);
  });

  test("warns of a link that comes later, too", async () => {
    const later = right.machine("10.0.1.1", { name: "eth1" });
    const { interfaces } = later;
    later.interfaces = () => ({});
    endpoint = await openEndpoint(joined(left.machine("10.0.0.1"), later), clock);
    await announce(["10.0.0.1"]);
    later.interfaces = interfaces;
    await clock.advance(4_000);
    const about = expect.stringContaining("not announced on eth1");
    expect(endpoint.reports.map(({ message }) => message)).toEqual([about]);
  });

  test("does not take an address with another interface's zone for its own", async () => {
    await announce(["10.0.0.1", "fe80::2%eth0"]);
    expect(addressesOn(left)).toEqual(["10.0.0.1"]);
    expect(right.heard).toEqual([]);
  });

  test("answers no question there either", async () => {
    await announce(["10.0.0.1"]);
    const questions = [{ name: "_lmserv._tcp.local", type: "PTR" as const }];
    right.inject({ type: "query", questions }, "10.0.1.2");
    await clock.advance(2_000);
    expect(answersOn(right)).toEqual([]);
  });
});

describe("a server that answers elsewhere from now on", () => {
  test("is announced there at once, and says goodbye only on the link that it left", async () => {
    const registration = await announce(["10.0.0.1"]);
    await clock.advance(10_000);
    left.heard.length = 0;
    await registration.update({ ...node, addresses: ["10.0.1.1"] }, never);
    await clock.advance(10_000);
    expect(addressesOn(right)).toEqual(["10.0.1.1"]);
    expect(goodbyesOn(right)).toEqual([]);
    expect(new Set(goodbyesOn(left))).toEqual(new Set(["PTR", "SRV", "TXT", "A"]));
    expect(endpoint.reports.map(({ message }) => message.split(" so that ")[1])).toEqual([
      expect.stringContaining("not announced on eth1"),
      expect.stringContaining("not announced on eth0"),
    ]);
  });

  test("takes back single addresses without a goodbye of the node", async () => {
    const registration = await announce();
    await clock.advance(10_000);
    left.heard.length = 0;
    await registration.update({ ...node, addresses: ["10.0.0.1", "10.0.1.1"] }, never);
    await clock.advance(10_000);
    expect(addressesOn(left)).toEqual(["fe80::1*", "10.0.0.1"]);
    expect(goodbyesOn(left)).toEqual(["AAAA", "AAAA"]);
  });

  test("stays up for a watcher on both links all the while", async () => {
    const machine = joined(
      left.machine("10.0.0.2", { name: "eth0" }),
      right.machine("10.0.1.2", { name: "eth1" }),
    );
    const watcher = await openEndpoint(machine, clock);
    const { seen } = collect(watcher.session, clock);
    const registration = await announce();
    await clock.advance(1_000);
    await registration.update({ ...node, addresses: ["10.0.0.1"] }, never);
    await clock.advance(10_000);
    const gone = seen.filter(({ kind }) => kind === "gone");
    expect(gone).toMatchObject([{ key: expect.stringMatching(/@eth1$/) }]);
    const last = seen.filter(({ kind }) => kind === "alive").at(-1);
    expect(last).toMatchObject({ key: expect.stringMatching(/@eth0$/) });
  });

  test("may come back to all", async () => {
    const registration = await announce(["10.0.0.1"]);
    await registration.update({ ...node, addresses: ["10.0.0.1", "fe80::1", "10.0.1.1", "fe80::2"] }, never);
    expect([addressesOn(left), addressesOn(right)]).toEqual([
      ["10.0.0.1", "fe80::1"],
      ["10.0.1.1", "fe80::2"],
    ]);
  });
});
