import type { NodeInfo } from "@lmserv/discovery-core";
import { Registry } from "@lmserv/discovery-core/transport";
import { VirtualClock } from "@lmserv/discovery-testkit";
import { beforeEach, describe, expect, it } from "vitest";
import type { ArpOptions } from "../src/transport.ts";
import { type Browse, browseOn } from "./browse.ts";
import { heard } from "./heard.ts";
import { identification, VirtualLan } from "./virtual-lan.ts";

let clock: VirtualClock;
let lan: VirtualLan;

beforeEach(() => {
  clock = new VirtualClock();
  lan = new VirtualLan(clock);
});

function browse(options: ArpOptions, nodes?: () => readonly NodeInfo[]): Promise<Browse> {
  return browseOn(lan, clock, options, nodes);
}

describe("a flood of made-up neighbors", () => {
  /** Entries as many as the table holds, of which the oldest give way. */
  function flood(from: number, count: number): void {
    for (let number = from; number < from + count; number += 1) {
      lan.add(`10.0.${100 + Math.floor(number / 250)}.${1 + (number % 250)}`).up = false;
    }
    for (const address of [...lan.entries.keys()].slice(0, -1_000)) lan.entries.delete(address);
  }

  it("of 200 a second keeps no server from being listed within 10 s", async () => {
    const { of } = await browse({ ports: [8_741, 8_000, 8_080, 1_234, 5_000, 30_000, 7_860, 8_888, 11_434] });
    for (let second = 0; second < 60; second += 1) {
      if (second === 30) lan.add("10.0.0.9").servers.set(11_434, identification(11_434));
      if (second < 30 || second % 2 === 0) lan.entries.delete("10.0.0.9");
      else lan.entries.set("10.0.0.9", clock.now());
      flood(second * 200, 200);
      await clock.advance(1_000);
    }
    const [alive] = of("alive");
    expect(alive).toMatchObject({ key: "10.0.0.9:11434" });
    expect(alive?.atMs).toBeLessThanOrEqual(40_000);
    expect(of("gone")).toEqual([]);
  });

  it("of a thousand at once delays a server by no more than 10 s", async () => {
    const { of } = await browse({ ports: [8_741, 8_000, 8_080, 1_234, 11_434] });
    await clock.advance(30_000);
    flood(0, 1_000);
    lan.add("10.0.0.9").servers.set(11_434, identification(11_434));
    await clock.advance(20_000);
    expect(of("alive")[0]?.atMs).toBeLessThanOrEqual(45_000);
  });
});

describe("ten thousand nodes that others name", () => {
  it("delay no neighbor's server by more than 10 s", async () => {
    const registry = new Registry();
    for (let number = 0; number < 10_000; number += 1) {
      const address = `10.0.${100 + (number % 100)}.${1 + (Math.floor(number / 100) % 250)}`;
      registry.apply(heard(`flood-${number}`, address, 1 + number), 0);
    }
    const { of } = await browse({}, () => registry.listAlive());
    await clock.advance(30_000);
    lan.add("10.0.0.9").servers.set(8_000, identification(8_000));
    await clock.advance(10_000);
    expect(of("alive")[0]).toMatchObject({ key: "10.0.0.9:8000" });
  });
});

describe("a machine with more servers than are kept", () => {
  it("takes no place of another's", async () => {
    const many = Array.from({ length: 30 }, (_, index) => identification(20_000 + index, { document: true }));
    for (const last of [2, 3])
      lan.add(`10.0.0.${last}`, { mac: "02:00:00:00:00:99" }).servers.set(8_000, many);
    const { of, reports } = await browse({ maxNodes: 40 });
    await clock.advance(5_000);
    expect(of("alive")).toHaveLength(40);
    lan.add("10.0.0.9").servers.set(8_000, identification(8_000));
    await clock.advance(11_000);
    expect(of("alive").at(-1)).toMatchObject({ key: "10.0.0.9:8000" });
    expect(of("gone")).toHaveLength(1);
    expect(reports.map(({ code }) => code)).toContain("REGISTRY_FULL");
  });
});
