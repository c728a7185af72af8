import { createLan, type Host, runOrThrow } from "@lmserv/test-netlab";
import { describeNet } from "@lmserv/test-netlab/vitest";
import { expect, test } from "vitest";
import { temporaryFolder } from "../command/temporary-folder.ts";
import { meshPort, spotOf, startMember, urlOf, whole } from "../mesh/member.ts";

const anotherKey = "YW5vdGhlciBrZXkgLSBhbHNvIG5vdCBhIHJlYWwgb25l";

describeNet("a mesh", () => {
  test("whose member has its listener taken away misses nobody, and takes newcomers there", async () => {
    await using state = await temporaryFolder();
    await using lan = await createLan({ hosts: 4 });
    const [host, ...others] = lan.hosts;
    const options = { state: state.path, seeds: [urlOf(spotOf(host))] };
    const start = (one: Host) => startMember(spotOf(one), options);
    const members = await Promise.all([host, ...others.slice(1)].map(start));
    await whole(members);
    await runOrThrow(host, ["ss", "-K", "-t", "state", "listening", `sport = :${meshPort}`]);
    await whole([...members, await start(others[0])]);
    expect(members[0]?.departures()).toEqual([]);
  });

  test("with another key is another mesh, in which those with the old one are gone", async () => {
    await using state = await temporaryFolder();
    await using lan = await createLan({ hosts: 3 });
    const spots = lan.hosts.map(spotOf);
    const options = { state: state.path, seeds: spots.map(urlOf) };
    const [first, ...others] = await Promise.all(spots.map((spot) => startMember(spot, options)));
    first?.kill("SIGTERM");
    await first?.exited;
    await whole(others);
    const renewed = await startMember(spotOf(lan.hosts[0]), { ...options, keys: anotherKey });
    await whole([renewed]);
    await whole(others);
    for (const member of others) member.kill("SIGTERM");
    await Promise.all(others.map(({ exited }) => exited));
    const rest = spots.slice(1).map((one) => startMember(one, { ...options, keys: anotherKey }));
    await whole([renewed, ...(await Promise.all(rest))]);
  });
});
