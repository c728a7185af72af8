import { Registry } from "@lmserv/discovery-core/transport";
import { VirtualClock } from "@lmserv/discovery-testkit";
import { beforeEach, describe, expect, it } from "vitest";
import type { ArpOptions } from "../src/transport.ts";
import { type Browse, browseOn } from "./browse.ts";
import { identification, VirtualLan } from "./virtual-lan.ts";

let clock: VirtualClock;
let lan: VirtualLan;

beforeEach(() => {
  clock = new VirtualClock();
  lan = new VirtualLan(clock);
});

function browse(options?: ArpOptions): Promise<Browse> {
  return browseOn(lan, clock, options);
}

describe("a listed node", () => {
  it("is confirmed every twenty seconds at most", async () => {
    lan.add("10.0.0.2").servers.set(8_000, identification(8_000));
    const { of } = await browse();
    await clock.advance(120_000);
    const times = of("alive").map(({ atMs }) => atMs);
    const gaps = times.slice(1).map((atMs, index) => atMs - (times[index] ?? 0));
    expect(Math.max(...gaps)).toBeLessThanOrEqual(20_010);
    expect(times.length).toBeLessThan(15);
  });

  it("is gone after two looks in vain, the second a patient one", async () => {
    const host = lan.add("10.0.0.2");
    host.servers.set(8_000, identification(8_000));
    const { of } = await browse();
    await clock.advance(1_000);
    host.up = false;
    await clock.advance(30_000);
    expect(of("gone")).toMatchObject([{ key: "10.0.0.2:8000", reason: "unreachable" }]);
    const lastMs = of("gone")[0]?.atMs ?? 0;
    expect(lan.looks.findLast(({ atMs }) => atMs < lastMs)).toMatchObject({ patient: true });
    expect(lastMs).toBeLessThan(27_000);
  });

  it("is listed with the protocol that it speaks", async () => {
    lan.add("10.0.0.2").servers.set(8_000, identification(8_000, { scheme: "https" }));
    const { of } = await browse();
    await clock.advance(1_000);
    expect(of("alive")).toMatchObject([{ node: { scheme: "https", port: 8_000 } }]);
  });

  it("survives one look in vain", async () => {
    const host = lan.add("10.0.0.2");
    host.servers.set(8_000, identification(8_000));
    const { of } = await browse();
    await clock.advance(1_000);
    host.servers.clear();
    await clock.advance(20_000);
    host.servers.set(8_000, identification(8_000));
    await clock.advance(60_000);
    expect(of("gone")).toEqual([]);
  });

  it("stays while it is busy, however long, and is asked no more often then", async () => {
    const host = lan.add("10.0.0.2");
    host.servers.set(8_000, identification(8_000));
    const { seen, of } = await browse();
    await clock.advance(1_000);
    const before = lan.looks.length;
    host.answerMs = Number.POSITIVE_INFINITY;
    await clock.advance(600_000);
    expect(of("gone")).toEqual([]);
    expect(lan.looks.length - before).toBeLessThan(45);
    const registry = new Registry();
    const changes = seen.flatMap((observation) => [
      ...registry.expire(observation.atMs),
      ...registry.apply(observation, observation.atMs),
    ]);
    expect([...changes, ...registry.expire(clock.now())].map(({ kind }) => kind)).toEqual(["up"]);
  });

  it("is gone soon when it is busy no more, but dead", async () => {
    const host = lan.add("10.0.0.2");
    host.servers.set(8_000, identification(8_000));
    const { of } = await browse();
    await clock.advance(1_000);
    host.answerMs = Number.POSITIVE_INFINITY;
    await clock.advance(60_000);
    host.up = false;
    await clock.advance(27_000);
    expect(of("gone")).toMatchObject([{ key: "10.0.0.2:8000" }]);
  });

  it.each(["refused", "closed", "no-route", "no-connection"] as const)(
    "is gone where two looks find its port %s",
    async (why) => {
      const host = lan.add("10.0.0.2");
      host.servers.set(8_000, identification(8_000));
      const { of } = await browse();
      await clock.advance(1_000);
      host.servers.clear();
      lan.withoutServer = why;
      await clock.advance(27_000);
      expect(of("gone")).toMatchObject([{ key: "10.0.0.2:8000" }]);
    },
  );

  it("is not given up because this machine cannot ask", async () => {
    const host = lan.add("10.0.0.2");
    host.servers.set(8_000, identification(8_000));
    const { of } = await browse();
    await clock.advance(1_000);
    host.servers.clear();
    lan.withoutServer = "unasked";
    await clock.advance(50_000);
    expect(of("gone")).toEqual([]);
  });

  it("does not mind that its entry in the table is gone", async () => {
    lan.add("10.0.0.2").servers.set(8_000, identification(8_000));
    const { of } = await browse();
    await clock.advance(1_000);
    lan.entries.clear();
    await clock.advance(200_000);
    expect(of("gone")).toEqual([]);
    expect(of("alive").at(-1)?.atMs).toBeGreaterThan(170_000);
  });

  it("is found again within half a minute when its server returns", async () => {
    const host = lan.add("10.0.0.2");
    host.servers.set(8_000, identification(8_000));
    const { of } = await browse();
    await clock.advance(1_000);
    host.servers.clear();
    await clock.advance(30_000);
    expect(of("gone")).toHaveLength(1);
    host.servers.set(8_000, identification(8_000));
    const returnedMs = clock.now();
    await clock.advance(40_000);
    expect((of("alive").at(-1)?.atMs ?? 0) - returnedMs).toBeGreaterThan(0);
  });

  it("keeps what its document says when a look at its own port tells less", async () => {
    const host = lan.add("10.0.0.2");
    host.servers.set(8_741, identification(8_000, { id: "box", info: "gpu-box-01", document: true }));
    host.servers.set(8_000, identification(8_000));
    const { of } = await browse({ ports: [8_741, 8_000] });
    await clock.advance(60_000);
    expect(of("alive").at(-1)).toMatchObject({ node: { id: "box", info: "gpu-box-01" } });
    expect(of("gone")).toEqual([]);
  });
});

describe("the servers of a document", () => {
  const documented = (port: number, id: string) => identification(port, { id, document: true });

  it("are listed each with its own identity", async () => {
    const servers = [
      documented(8_000, "key"),
      documented(11_434, "key.11434"),
      documented(8_080, "key.8080"),
    ];
    lan.add("10.0.0.2").servers.set(8_741, servers);
    const { of } = await browse({ ports: [8_741, 8_000] });
    await clock.advance(1_000);
    expect(of("alive")).toMatchObject([
      { key: "10.0.0.2:8000", node: { id: "key" } },
      { key: "10.0.0.2:11434", node: { id: "key.11434" } },
      { key: "10.0.0.2:8080", node: { id: "key.8080" } },
    ]);
  });

  it("are confirmed together, by one look", async () => {
    const servers = Array.from({ length: 10 }, (_, n) => documented(8_000 + n, `key.${n}`));
    lan.add("10.0.0.2").servers.set(8_741, servers);
    const { of } = await browse({ ports: [8_741] });
    await clock.advance(120_000);
    expect(of("gone")).toEqual([]);
    expect(lan.looks.length).toBeLessThan(15);
  });

  it("come and go with the document", async () => {
    const host = lan.add("10.0.0.2");
    host.servers.set(8_741, [documented(8_000, "key"), documented(11_434, "key.11434")]);
    const { of } = await browse({ ports: [8_741] });
    await clock.advance(1_000);
    host.servers.set(8_741, [documented(8_000, "key"), documented(8_080, "key.8080")]);
    await clock.advance(30_000);
    expect(of("alive")).toContainEqual(expect.objectContaining({ key: "10.0.0.2:8080" }));
    expect(of("gone")).toMatchObject([{ key: "10.0.0.2:11434" }]);
  });

  it("are none where it lists none", async () => {
    lan.add("10.0.0.2").servers.set(8_741, []);
    const { of } = await browse({ ports: [8_741] });
    await clock.advance(30_000);
    expect(of("alive")).toEqual([]);
  });
});

describe("what is settled", () => {
  it("includes servers that take their time", async () => {
    const host = lan.add("10.0.0.2");
    host.servers.set(8_000, identification(8_000));
    // Four questions to a server that takes 0.6 s for each.
    host.answerMs = 2_400;
    const { seen, reports } = await browse();
    await clock.advance(10_000);
    expect(seen.map(({ kind, atMs }) => ({ kind, atMs })).slice(0, 2)).toEqual([
      { kind: "alive", atMs: 3_900 },
      { kind: "settled", atMs: 3_900 },
    ]);
    expect(reports).toEqual([]);
  });

  it("does not wait for those who come while it is waited for", async () => {
    lan.add("10.0.0.2").up = false;
    const { of } = await browse();
    for (let last = 3; last < 60; last += 1) {
      lan.add(`10.0.0.${last}`).up = false;
      await clock.advance(200);
    }
    expect(of("settled")).toMatchObject([{ atMs: 1_900 }]);
  });

  it("takes no longer than a first look where everybody answers at once", async () => {
    lan.add("10.0.0.2").servers.set(8_000, identification(8_000));
    const { of } = await browse();
    await clock.advance(100);
    expect(of("settled")).toHaveLength(1);
  });
});
