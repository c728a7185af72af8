import { describe, expect, test } from "vitest";
import { ConnectionSlots } from "../src/connection-slots.ts";

/** Slots, and the dismissed visitors in order. */
function slotsFor(all: number, each?: number) {
  const slots = new ConnectionSlots({ all, ...(each !== undefined && { each }) });
  const dismissed: string[] = [];
  const enter = (address: string, name = address): (() => void) =>
    slots.take(address, () => dismissed.push(name));
  return { slots, dismissed, enter };
}

describe("slots", () => {
  test("of one address are a share: its oldest goes", () => {
    const { slots, dismissed, enter } = slotsFor(64, 8);
    enter("10.0.0.2", "neighbor");
    for (let visit = 0; visit < 200; visit += 1) enter("10.0.0.1", `visit ${visit}`);
    expect(slots.size).toBe(9);
    expect(dismissed).toEqual(Array.from({ length: 192 }, (_, visit) => `visit ${visit}`));
  });

  test("that are all taken are freed by the address with the most", () => {
    const { slots, dismissed, enter } = slotsFor(4);
    enter("10.0.0.2");
    for (const visit of ["first", "second", "third", "fourth"]) enter("10.0.0.1", visit);
    enter("10.0.0.3");
    expect([slots.size, dismissed]).toEqual([4, ["first", "second"]]);
  });

  test("of addresses of one /64 count together, however many there are", () => {
    const { dismissed, enter } = slotsFor(4, 2);
    enter("10.0.0.2");
    enter("2001:db8:2::1");
    for (let host = 1; host <= 200; host += 1) enter(`2001:db8:1::${host.toString(16)}`);
    expect(dismissed).toHaveLength(198);
    expect(dismissed.every((address) => address.startsWith("2001:db8:1:"))).toBe(true);
  });

  test("leave the newest of a /64 for as many others as there are", () => {
    const { dismissed, enter } = slotsFor(4);
    for (let host = 1; host <= 200; host += 1) enter(`fe80::${host.toString(16)}%eth0`);
    enter("fe80::abcd%eth0");
    for (let host = 1; host <= 3; host += 1) enter(`fe80::1:${host}%eth0`);
    expect(dismissed).not.toContain("fe80::abcd%eth0");
  });

  test("that were given back are free, and dismiss nobody", () => {
    const { slots, dismissed, enter } = slotsFor(2);
    const leave = enter("10.0.0.1");
    enter("10.0.0.2");
    leave();
    leave();
    enter("10.0.0.3");
    expect([slots.size, dismissed]).toEqual([2, []]);
  });
});
