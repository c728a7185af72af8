import { expect, test } from "vitest";
import { createLan } from "../../src/index.ts";
import { describeNet } from "../../src/vitest.ts";
import { meshPort, spotOf, startMember, urlOf, whole } from "./member.ts";
import { temporaryFolder } from "./temporary-folder.ts";

describeNet("a member whose listening socket is shut down", () => {
  test("listens again, and is missed by nobody", async () => {
    await using state = await temporaryFolder();
    await using lan = await createLan({ hosts: 3 });
    const [seed, other, late] = lan.hosts;
    const options = { state: state.path, seeds: [urlOf(spotOf(seed))] };
    const members = [await startMember(spotOf(seed), options), await startMember(spotOf(other), options)];
    await whole(members);

    const { code } = await seed.run(["ss", "--kill", "--tcp", "--listening", "sport", "=", `:${meshPort}`]);
    expect(code).toBe(0);
    // Who knows nobody else has to be let in by the seed.
    members.push(await startMember(spotOf(late), options));
    await whole(members);
    expect(members.map(({ departures }) => departures())).toEqual([[], [], []]);
  });
});
