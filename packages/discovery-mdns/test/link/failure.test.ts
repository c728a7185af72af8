import type { DiscoveryError } from "@lmserv/discovery-core";
import {
  type ResolvedAnnouncement,
  silentLog,
  supervise,
  type Transport,
  type TransportSession,
} from "@lmserv/discovery-core/transport";
import { seededRandom, VirtualClock } from "@lmserv/discovery-testkit";
import { beforeEach, describe, expect, test } from "vitest";
import { mdnsOn } from "../../src/transport.ts";
import {
  collect,
  type Heard,
  infoOf,
  joined,
  openEndpoint,
  Segment,
  type VirtualMachine,
} from "../segment.ts";

// A host loses its sockets: they can be opened anew, or cannot.

const never = new AbortController();
const node: ResolvedAnnouncement = { id: "box", info: "gpu", port: 8_000 };
/** Time until the interfaces are read again. */
const lookMs = 3_100;
let clock: VirtualClock;
let segment: Segment;

beforeEach(() => {
  clock = new VirtualClock();
  segment = new Segment(clock);
});

/** End of a browse that ends by itself. */
async function endOf(browse: AsyncIterable<unknown>): Promise<DiscoveryError> {
  try {
    for await (const _ of browse);
  } catch (error) {
    return error as DiscoveryError;
  }
  throw new Error("the browse ended as if all were well");
}

/** Names of the announced instances. */
function namesOf(heard: readonly Heard[]): string[] {
  const records = heard.flatMap(({ packet }) => packet.answers ?? []);
  return [...new Set(records.flatMap(({ type, name }) => (type === "SRV" ? [name] : [])))];
}

function isGoodbye({ packet }: Heard): boolean {
  return packet.answers?.some((record) => "ttl" in record && record.ttl === 0) ?? false;
}

describe("a session whose sockets die", () => {
  test("opens them anew, asks and announces again", async () => {
    const { session, reports } = await openEndpoint(segment.machine("10.0.0.1"), clock);
    await session.announce?.(node, never);
    const { seen } = collect(session, clock);
    await clock.advance(10_000);
    segment.fail();
    segment.held.clear();
    const before = segment.heard.length;
    await clock.advance(lookMs);
    const types = segment.heard.slice(before).map(({ packet }) => packet.type);
    expect(new Set(types)).toEqual(new Set(["query", "response"]));
    expect(seen.filter(({ kind }) => kind === "gone")).toEqual([]);
    expect(reports.map(({ code }) => code)).toEqual(["NO_ANSWER", "SEND_FAILED"]);
  });

  test("fails when none can be opened, with the reason", async () => {
    const { session, reports } = await openEndpoint(segment.machine("10.0.0.1"), clock);
    const end = endOf(session.browse({ ttlMs: 60_000 }, never));
    await clock.advance(10_000);
    segment.fail();
    await clock.advance(lookMs);
    expect(await end).toMatchObject({
      code: "TRANSPORT_FAILED",
      via: "mdns",
      cause: { code: "ADDRESS_IN_USE" },
    });
    expect(await endOf(session.browse({ ttlMs: 60_000 }, never))).toBe(await end);
    expect(reports.map(({ code }) => code)).not.toContain("TRANSPORT_FAILED");
  });

  test("never opens any again once it failed", async () => {
    const { session, reports } = await openEndpoint(segment.machine("10.0.0.1"), clock);
    segment.fail();
    await clock.advance(lookMs);
    expect(reports.map(({ code }) => code)).toEqual(["SEND_FAILED", "TRANSPORT_FAILED"]);
    segment.held.clear();
    await expect(session.announce?.(node, never)).rejects.toMatchObject({ code: "TRANSPORT_FAILED" });
    await clock.advance(60_000);
    expect(segment.heard).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  test("takes its announcements along without a goodbye, also those under way", async () => {
    const { session } = await openEndpoint(segment.machine("10.0.0.1"), clock);
    const registration = await session.announce?.(node, never);
    segment.fail();
    await clock.advance(lookMs - 500);
    const probed = session.announce?.({ ...node, id: "chosen", name: "Box" }, never);
    const refused = expect(probed).rejects.toMatchObject({ code: "TRANSPORT_FAILED" });
    await clock.advance(500);
    await refused;
    segment.held.clear();
    await registration?.[Symbol.asyncDispose]();
    await session[Symbol.asyncDispose]();
    expect(segment.heard.filter(isGoodbye)).toEqual([]);
    expect(clock.pending).toBe(0);
  });
});

describe("a session whose last interface goes", () => {
  const loopback = { lo: [infoOf("127.0.0.1", 8)] };
  let machine: VirtualMachine;
  let transport: Transport;
  let reports: string[];

  beforeEach(() => {
    machine = segment.machine("10.0.0.1");
    transport = mdnsOn(machine);
    reports = [];
  });

  function open(opened: Transport, random = seededRandom(1)): Promise<TransportSession> {
    const report = ({ code }: DiscoveryError): void => void reports.push(code);
    const nodes = { listAlive: () => [] };
    return opened.open({ clock, random, log: silentLog, nodes, report }, never);
  }

  test.each([
    ["none is left", {}],
    ["loopback is left", loopback],
  ])("fails when %s, and takes nobody for gone", async (_, left) => {
    const session = await open(supervise(transport));
    const { seen } = collect(session, clock);
    const other = await openEndpoint(segment.machine("10.0.0.2"), clock, seededRandom(2));
    await other.session.announce?.(node, never);
    await clock.advance(10_000);
    expect(seen.map(({ kind }) => kind)).toContain("alive");
    machine.interfaces = () => left;
    await clock.advance(50_000);
    expect(seen.at(-1)).toMatchObject({ kind: "lost", error: { code: "NO_INTERFACE" } });
    expect(reports).toEqual(["NO_INTERFACE"]);
    expect(seen.filter(({ kind }) => kind === "gone")).toEqual([]);
  });

  test("is followed by one on loopback when nothing heard before can be true any more", async () => {
    const session = await open(transport);
    machine.interfaces = () => loopback;
    await clock.advance(lookMs);
    await session[Symbol.asyncDispose]();
    await expect(open(transport)).rejects.toMatchObject({ cause: { code: "NO_INTERFACE" } });
    await clock.advance(120_000);
    await using _ = await open(transport);
  });

  test("is followed by one that announces under the same name when an interface comes", async () => {
    const { interfaces } = machine;
    const session = await open(supervise(transport));
    await session.announce?.(node, never);
    const { seen } = collect(session, clock);
    await clock.advance(10_000);
    machine.interfaces = () => ({});
    await clock.advance(60_000);
    expect(reports).toEqual(["NO_ANSWER", "NO_INTERFACE"]);
    const before = segment.heard.length;
    machine.interfaces = interfaces;
    await clock.advance(10_000);
    expect(namesOf(segment.heard.slice(before))).toEqual(namesOf(segment.heard.slice(0, before)));
    expect(segment.heard.filter(isGoodbye)).toEqual([]);
    expect(seen.filter(({ kind }) => kind === "lost" || kind === "recovered")).toMatchObject([
      { kind: "lost", error: { code: "NO_INTERFACE" } },
      { kind: "recovered" },
    ]);
  });

  test("has two names for a node that it announces twice", async () => {
    await using session = await open(transport);
    await session.announce?.(node, never);
    await session.announce?.(node, never);
    await clock.advance(1_000);
    expect(namesOf(segment.heard)).toHaveLength(2);
    const closed = session[Symbol.asyncDispose]();
    await clock.advance(1_000);
    await closed;
  });
});

describe("a session goes on", () => {
  test("while an address is still being checked", async () => {
    const machine = segment.machine("10.0.0.1");
    const { openLink } = machine;
    const { session, reports } = await openEndpoint(
      {
        ...machine,
        system: () => machine.system(),
        openLink: (...on) => (isChecked ? openLink(...on) : refuse()),
      },
      clock,
    );
    const { seen } = collect(session, clock);
    isChecked = false;
    segment.fail();
    segment.held.clear();
    await clock.advance(60_000);
    expect(reports.map(({ code }) => code)).toContain("INTERFACE_UNUSABLE");
    isChecked = true;
    const other = await openEndpoint(segment.machine("10.0.0.2"), clock, seededRandom(2));
    await other.session.announce?.(node, never);
    await clock.advance(10_000);
    expect(seen.map(({ kind }) => kind)).toContain("alive");
  });

  test("while one of two interfaces has its sockets", async () => {
    const other = new Segment(clock);
    const machine = joined(segment.machine("10.0.0.1"), other.machine("10.0.1.1", { name: "eth1" }));
    const { session, reports } = await openEndpoint(machine, clock);
    await session.announce?.(node, never);
    segment.fail();
    await clock.advance(60_000);
    expect(reports.map(({ code }) => code)).toEqual(["SEND_FAILED", "ADDRESS_IN_USE"]);
    const closed = session[Symbol.asyncDispose]();
    await clock.advance(1_000);
    await closed;
    expect(other.heard.filter(isGoodbye).length).toBeGreaterThan(0);
    expect(segment.heard.filter(isGoodbye)).toEqual([]);
  });
});

let isChecked = true;

/** Fails as Linux does for an address that it does not use yet. */
async function refuse(): Promise<never> {
  throw Object.assign(new Error("bind EADDRNOTAVAIL 10.0.0.1"), { code: "EADDRNOTAVAIL" });
}
