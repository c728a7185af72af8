import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { VirtualClock } from "@lmserv/discovery-testkit";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { generateKey } from "../src/link/cluster-key.ts";
import { Silence } from "../src/silence.ts";
import { nextPort, startMember } from "./member.ts";

const minuteMs = 60_000;

describe("why no member is reached", () => {
  const member = { turnedAway: 0, knowsNobody: false };

  test("is said at once for each cause, and again later while that lasts", () => {
    const silence = new Silence();
    const said = (nowMs: number): string | null => silence.reason({ ...member, nowMs });
    expect(said(0)).toBeNull();
    silence.miss("ws://a:1", "wrong-key", "it has another key");
    expect(said(0)).toBe("ws://a:1: it has another key");
    silence.miss("ws://a:1", "wrong-key", "it has another key");
    silence.miss("ws://b:1", "wrong-key", "it has another key");
    expect(said(1)).toBeNull();
    silence.miss("ws://b:1", "no-listener", "nobody listens");
    expect(said(2)).toBe("ws://a:1: it has another key; ws://b:1: nobody listens");
    expect([said(minuteMs), said(minuteMs + 2), said(3 * minuteMs), said(3 * minuteMs + 2)]).toEqual([
      null,
      expect.stringContaining("ws://a:1"),
      null,
      expect.stringContaining("ws://a:1"),
    ]);
  });

  test("is forgotten once a member is reached", () => {
    const silence = new Silence();
    silence.miss("ws://a:1", "slow", "late");
    silence.end();
    expect(silence.reason({ ...member, nowMs: 0 })).toBeNull();
  });

  test("names the four that were dialled last, of however many", () => {
    const silence = new Silence();
    for (let port = 1; port <= 100; port += 1) silence.miss(`ws://a:${port}`, "slow", "late");
    expect(silence.reason({ ...member, nowMs: 0 })?.split("; ")).toEqual(
      [97, 98, 99, 100].map((port) => `ws://a:${port}: late`),
    );
  });
});

describe("a session that reaches nobody", () => {
  let stateDirectory: string;

  beforeEach(async () => {
    stateDirectory = await mkdtemp(join(tmpdir(), "lmserv-mesh-"));
  });

  afterEach(() => rm(stateDirectory, { recursive: true }));

  test("says so for as long as that lasts, less and less often", async () => {
    const clock = new VirtualClock();
    await using observer = await startMember("o", { clock, port: 0, role: "observer", stateDirectory });
    const saidMs: number[] = [];
    while (clock.now() < 60 * minuteMs) {
      if (observer.reports.length > saidMs.length) saidMs.push(clock.now());
      await clock.advance(500);
    }
    const pauses = saidMs.slice(1).map((atMs, index) => Math.round((atMs - (saidMs[index] ?? 0)) / minuteMs));
    expect(pauses).toEqual([1, 2, 4, 8, 16]);
    expect(new Set(observer.reports.map(({ code }) => code))).toEqual(new Set(["NO_ANSWER"]));
  });

  test("says on the other side too that members come with another key", async () => {
    const clock = new VirtualClock();
    const port = nextPort();
    await using first = await startMember("a", { clock, port, keys: generateKey(), stateDirectory });
    const seeds = [`ws://127.0.0.1:${port}`];
    await using second = await startMember("b", {
      port: nextPort(),
      keys: generateKey(),
      seeds,
      stateDirectory,
    });
    await expect.poll(() => second.reports.map(({ code }) => code)).toEqual(["NO_ANSWER"]);
    expect(first.reports).toEqual([]);
    await clock.advance(minuteMs);
    expect(first.reports).toMatchObject([
      {
        code: "NO_ANSWER",
        message: expect.stringMatching(
          /: others dial this one with another key or cluster, \d+ times so far$/,
        ),
      },
    ]);
  });
});
