import { VirtualClock } from "@lmserv/discovery-testkit";
import { expect, test } from "vitest";
import type { DoctorDocument } from "../src/document.ts";
import { Examinations } from "../src/surface/examinations.ts";

const found: DoctorDocument = { formatVersion: "1.1", verdict: "ok", durationMs: 7, checks: [] };
const minuteMs = 60_000;

interface Course {
  readonly finish: () => void;
  readonly fail: (error: Error) => void;
}

/** Examinations whose ends are the test's, on a clock of its own. */
function examinations() {
  const clock = new VirtualClock();
  const courses: Course[] = [];
  const examine = (): Promise<DoctorDocument> =>
    new Promise((resolve, reject) => courses.push({ finish: () => resolve(found), fail: reject }));
  const { signal } = new AbortController();
  return { clock, courses, shared: new Examinations(examine, clock, signal) };
}

test("all who ask share the examination that is under way, however long it takes", async () => {
  const { clock, courses, shared } = examinations();
  const asked = [shared.latest(), shared.latest()];
  await clock.advance(10 * minuteMs);
  asked.push(shared.latest());
  expect(courses).toHaveLength(1);
  courses[0]?.finish();
  for (const one of asked) expect(await one).toEqual({ document: found, endedMs: 10 * minuteMs });
});

test("the next one begins a minute after the end of the last", async () => {
  const { clock, courses, shared } = examinations();
  const first = shared.latest();
  courses[0]?.finish();
  await first;
  await clock.advance(minuteMs - 1);
  expect(await shared.latest()).toBe(await first);
  expect(courses).toHaveLength(1);
  await clock.advance(1);
  void shared.latest();
  void shared.latest();
  expect(courses).toHaveLength(2);
});

test("one that fails is tried again after a minute, and not before", async () => {
  const { clock, courses, shared } = examinations();
  const first = shared.latest();
  courses[0]?.fail(new Error("no cable"));
  await expect(first).rejects.toThrow("no cable");
  await expect(shared.latest()).rejects.toThrow("no cable");
  expect(courses).toHaveLength(1);
  await clock.advance(minuteMs);
  void shared.latest();
  expect(courses).toHaveLength(2);
});
