import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { createLan } from "../../src/index.ts";
import { describeNet } from "../../src/vitest.ts";
import { type Member, spotOf, startMember, urlOf, wholeAfterMs } from "./member.ts";
import { temporaryFolder } from "./temporary-folder.ts";

/** By then a member that gives no sign of life is dropped by all. */
const droppedMs = 12_000;
/** Whoever is so long without a word is asked once, and answers before it is asked in vain twice. */
const momentMs = 3_000;
/** However busy the machine is. */
const patienceMs = 90_000;

/** Resolves once all others have dropped a member; fails if they dropped anybody else, or took too long by their own time. */
async function droppedBy(
  others: readonly Member[],
  lost: Member,
  begin: () => Promise<unknown>,
): Promise<void> {
  const begun = await Promise.all(others.map(({ ran }) => ran()));
  await begin();
  await wholeAfterMs(others, patienceMs);
  for (const [index, { departures }] of others.entries()) {
    const seen = departures();
    expect(seen).toMatchObject([{ info: lost.name, reason: "unreachable" }]);
    for (const { ranMs } of seen) expect(ranMs - (begun[index] ?? 0)).toBeLessThan(droppedMs);
  }
}

async function startMesh(hosts: Parameters<typeof spotOf>[0][], state: string): Promise<readonly Member[]> {
  const spots = hosts.map(spotOf);
  const seeds = spots.slice(0, 1).map(urlOf);
  const members = await Promise.all(spots.map((spot) => startMember(spot, { state, seeds })));
  await wholeAfterMs(members, patienceMs);
  return members;
}

describeNet("a member that gives no sign of life, and breaks no connection,", () => {
  describe.concurrent("is gone within 12 s from every list, and is back afterwards:", () => {
    test("a host of which nothing passes any more, in either direction", async () => {
      await using state = await temporaryFolder();
      await using lan = await createLan({ hosts: 5 });
      const [lost, ...others] = await startMesh([...lan.hosts], state.path);
      if (!lost) throw new TypeError("there are five");
      const rules = `iifname "${lost.name}" drop\noifname "${lost.name}" drop`;
      await droppedBy(others, lost, () => lan.filter("silence", rules));
      await lost.lists([lost.name], patienceMs);
      await lan.filter("silence", null);
      await wholeAfterMs([lost, ...others], patienceMs);
    }, 300_000);

    test("a process that is stopped, unless it is for a moment", async () => {
      await using state = await temporaryFolder();
      await using lan = await createLan({ hosts: 5 });
      const [lost, ...others] = await startMesh([...lan.hosts], state.path);
      if (!lost) throw new TypeError("there are five");
      lost.kill("SIGSTOP");
      await delay(momentMs);
      lost.kill("SIGCONT");
      // It is there again, as it says itself.
      await lost.ran();
      await droppedBy(others, lost, async () => lost.kill("SIGSTOP"));
      lost.kill("SIGCONT");
      await wholeAfterMs([lost, ...others], patienceMs);
      // It was not there to hear of anybody, and so has missed nobody.
      expect(lost.departures()).toEqual([]);
    }, 300_000);
  });
});
