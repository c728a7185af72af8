import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { createLan, type Host } from "../../src/index.ts";
import { describeNet } from "../../src/vitest.ts";
import { spotOf, startMember, urlOf, wholeAfterMs } from "./member.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const cutMs = 60_000;

/** Nothing passes between the two, in either direction, and nobody is told. */
function gapBetween(left: readonly Host[], right: readonly Host[]): string {
  const set = (hosts: readonly Host[]): string => `{ ${hosts.map(({ name }) => `"${name}"`).join(", ")} }`;
  return [
    `iifname ${set(left)} oifname ${set(right)} drop`,
    `iifname ${set(right)} oifname ${set(left)} drop`,
  ].join("\n");
}

describeNet("a mesh cut in two halves", () => {
  test("is whole again within 15 s of the end of a minute's cut", async () => {
    await using state = await temporaryFolder();
    await using lan = await createLan({ hosts: 8 });
    const spots = lan.hosts.map(spotOf);
    const [seed] = spots;
    if (!seed) throw new TypeError("there are eight");
    const members = await Promise.all(
      spots.map((spot) => startMember(spot, { state: state.path, seeds: [urlOf(seed)] })),
    );
    await wholeAfterMs(members, 30_000);

    const names = members.map(({ name }) => name);
    await lan.filter("halves", gapBetween(lan.hosts.slice(0, 4), lan.hosts.slice(4)));
    await delay(cutMs);
    await wholeAfterMs(members.slice(0, 4), 1_000);
    await wholeAfterMs(members.slice(4), 1_000);
    // Nobody was missed who was there all the time.
    for (const [index, { departures }] of members.entries()) {
      const others = names.filter((_, other) => index < 4 !== other < 4);
      expect(
        departures()
          .map(({ info }) => info)
          .sort(),
      ).toEqual(others);
    }

    const cutAtMs = await Promise.all(members.map(({ ran }) => ran()));
    await lan.filter("halves", null);
    await wholeAfterMs(members, 90_000);
    const wholeAtMs = await Promise.all(members.map(({ ran }) => ran()));
    const took = wholeAtMs.map((atMs, index) => atMs - (cutAtMs[index] ?? 0));
    expect(Math.max(...took)).toBeLessThan(15_000);
  }, 240_000);
});
