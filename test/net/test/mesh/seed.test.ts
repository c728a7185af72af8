import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { createLan } from "../../src/index.ts";
import { describeNet } from "../../src/vitest.ts";
import { ip } from "../discovery/wiring.ts";
import { hostsFile } from "./hosts-file.ts";
import { meshPort, spotOf, startMember, urlOf, wholeAfterMs } from "./member.ts";
import { moveBehind } from "./subnets.ts";
import { temporaryFolder } from "./temporary-folder.ts";

/** A member is believed for 15 s; whoever would be lost with the seed is lost by then. */
const ttlMs = 15_000;

describeNet("a mesh with one seed", () => {
  test("is whole across subnets without multicast, and stays so without the seed", async () => {
    await using state = await temporaryFolder();
    await using lan = await createLan({ hosts: 11 });
    const [router, ...hosts] = lan.hosts;
    await lan.dropMulticast(true);
    const spots = [...hosts.slice(0, 5).map(spotOf), ...(await moveBehind(lan, router, hosts.slice(5)))];
    const [seed] = spots;
    if (!seed) throw new TypeError("there are ten");
    const members = await Promise.all(
      spots.map((spot) => startMember(spot, { state: state.path, seeds: [urlOf(seed)] })),
    );
    await wholeAfterMs(members, 30_000);

    const [first, ...rest] = members;
    first?.kill("SIGKILL");
    await wholeAfterMs(rest, 20_000);
    const before = rest.map(({ lines }) => lines.length);
    await delay(ttlMs + 5_000);
    expect(rest.map(({ lines }) => lines.length)).toEqual(before);
  }, 120_000);

  test("is whole again when all start anew and the name of the seed leads elsewhere", async () => {
    await using state = await temporaryFolder();
    await using names = await hostsFile();
    await using lan = await createLan({ hosts: 5 });
    const [moving, ...others] = lan.hosts;
    const options = { state: state.path, seeds: [`ws://seed.test:${meshPort}`], wrap: names.wrap };
    await names.point("seed.test", moving.address);
    const first = await Promise.all(lan.hosts.map((host) => startMember(spotOf(host), options)));
    await wholeAfterMs(first, 30_000);
    for (const member of first) member.kill("SIGKILL");
    await Promise.all(first.map(({ exited }) => exited));

    await ip(moving, `addr del ${moving.address}/24 dev eth0`);
    await ip(moving, "addr add 10.77.0.201/24 brd + dev eth0");
    // Somebody else has the old address now, and nothing to do with it.
    await ip(others[0], `addr add ${moving.address}/24 dev eth0`);
    const early = others.map((host) => startMember(spotOf(host), options));
    await names.point("seed.test", "10.77.0.201");
    const seed = startMember({ host: moving, address: "10.77.0.201" }, options);
    await wholeAfterMs(await Promise.all([...early, seed]), 30_000);
  }, 120_000);

  test("finds a seed that came back under another address while all others went on", async () => {
    await using state = await temporaryFolder();
    await using names = await hostsFile();
    await using lan = await createLan({ hosts: 4 });
    const [moving, ...others] = lan.hosts;
    const options = { state: state.path, seeds: [`ws://seed.test:${meshPort}`], wrap: names.wrap };
    await names.point("seed.test", moving.address);
    const seed = await startMember(spotOf(moving), options);
    const rest = await Promise.all(others.map((host) => startMember(spotOf(host), options)));
    await wholeAfterMs([seed, ...rest], 30_000);
    seed.kill("SIGKILL");
    await wholeAfterMs(rest, 20_000);
    await ip(moving, `addr del ${moving.address}/24 dev eth0`);
    await ip(moving, "addr add 10.77.0.201/24 brd + dev eth0");
    await names.point("seed.test", "10.77.0.201");
    // It has no seed but itself: the others have to look the name up again.
    const again = await startMember({ host: moving, address: "10.77.0.201" }, options);
    await wholeAfterMs([again, ...rest], 90_000);
  }, 180_000);
});
