import { expect, it } from "vitest";
import { Standstill } from "../../src/time/standstill.ts";

it("takes a call for late only beyond the limit, and only when one was due", () => {
  const standstill = new Standstill(100);
  expect(standstill.isLate(1e9)).toBe(false);
  standstill.expect(1_000);
  expect(standstill.isLate(1_100)).toBe(false);
  expect(standstill.isLate(5_000)).toBe(false);
  standstill.expect(6_000);
  expect(standstill.isLate(6_101)).toBe(true);
});

it("takes wall time that went ahead for a sleep, and a clock that was set back for none", () => {
  const standstill = new Standstill(100);
  expect(standstill.hasSlept(0, 50_000)).toBe(false);
  expect(standstill.hasSlept(10, 50_110)).toBe(false);
  expect(standstill.hasSlept(20, 50_221)).toBe(true);
  expect(standstill.hasSlept(30, 50_231)).toBe(false);
  expect(standstill.hasSlept(40, 10_000)).toBe(false);
});
