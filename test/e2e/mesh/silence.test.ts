import { createLan } from "@lmserv/test-netlab";
import { describeNet } from "@lmserv/test-netlab/vitest";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../command/temporary-folder.ts";
import { gapBetween } from "./gap.ts";
import { type Member, spotOf, startMember, urlOf, whole } from "./member.ts";

async function startMesh(hosts: Parameters<typeof spotOf>[0][], state: string): Promise<readonly Member[]> {
  const spots = hosts.map(spotOf);
  const seeds = spots.slice(0, 1).map(urlOf);
  const members = await Promise.all(spots.map((spot) => startMember(spot, { state, seeds })));
  await whole(members);
  return members;
}

// Simulated time covers the delay, and that no other member is missed meanwhile.
describeNet("members that give no sign of life, and break no connection,", () => {
  describe.concurrent("are gone from the others' lists, and back afterwards:", () => {
    test("half of the hosts, where nothing passes between the halves any more", async () => {
      await using state = await temporaryFolder();
      await using lan = await createLan({ hosts: 6 });
      const members = await startMesh([...lan.hosts], state.path);
      await lan.filter("halves", gapBetween(lan.hosts.slice(0, 3), lan.hosts.slice(3)));
      await Promise.all([whole(members.slice(0, 3)), whole(members.slice(3))]);
      await lan.filter("halves", null);
      await whole(members);
    });

    test("a process that is stopped", async () => {
      await using state = await temporaryFolder();
      await using lan = await createLan({ hosts: 4 });
      const [lost, ...others] = await startMesh([...lan.hosts], state.path);
      if (!lost) throw new TypeError("there are four");
      lost.kill("SIGSTOP");
      await whole(others);
      lost.kill("SIGCONT");
      await whole([lost, ...others]);
      // It was not there to hear of members, and so has missed none.
      expect(lost.departures()).toEqual([]);
    });
  });
});
