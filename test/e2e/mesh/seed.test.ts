import { createLan } from "@lmserv/test-netlab";
import { describeNet } from "@lmserv/test-netlab/vitest";
import { describe, test } from "vitest";
import { temporaryFolder } from "../command/temporary-folder.ts";
import { ip } from "../network/wiring.ts";
import { hostsFile } from "./hosts-file.ts";
import { meshPort, spotOf, startMember, urlOf, whole } from "./member.ts";
import { moveBehind } from "./subnets.ts";

describeNet("a mesh with one seed", () => {
  describe.concurrent("by its name or address", () => {
    test("is whole across subnets without multicast, and without the seed", async () => {
      await using state = await temporaryFolder();
      await using lan = await createLan({ hosts: 7 });
      const [router, ...hosts] = lan.hosts;
      await lan.dropMulticast(true);
      const spots = [...hosts.slice(0, 3).map(spotOf), ...(await moveBehind(lan, router, hosts.slice(3)))];
      const [seed] = spots;
      if (!seed) throw new TypeError("there are six");
      const members = await Promise.all(
        spots.map((spot) => startMember(spot, { state: state.path, seeds: [urlOf(seed)] })),
      );
      await whole(members);

      const [first, ...rest] = members;
      first?.kill("SIGKILL");
      await whole(rest);
    });

    test("is whole again when all start anew and the name of the seed leads elsewhere", async () => {
      await using state = await temporaryFolder();
      await using names = await hostsFile();
      await using lan = await createLan({ hosts: 5 });
      const [moving, ...others] = lan.hosts;
      const options = { state: state.path, seeds: [`ws://seed.test:${meshPort}`], wrap: names.wrap };
      await names.point("seed.test", moving.address);
      const first = await Promise.all(lan.hosts.map((host) => startMember(spotOf(host), options)));
      await whole(first);
      for (const member of first) member.kill("SIGKILL");
      await Promise.all(first.map(({ exited }) => exited));

      await ip(moving, `addr del ${moving.address}/24 dev eth0`);
      await ip(moving, "addr add 10.77.0.201/24 brd + dev eth0");
      // Another host has the old address now, and does not belong to the mesh.
      await ip(others[0], `addr add ${moving.address}/24 dev eth0`);
      const early = others.map((host) => startMember(spotOf(host), options));
      await names.point("seed.test", "10.77.0.201");
      const seed = startMember({ host: moving, address: "10.77.0.201" }, options);
      await whole(await Promise.all([...early, seed]));
    });

    test("finds a seed that came back under another address while all others went on", async () => {
      await using state = await temporaryFolder();
      await using names = await hostsFile();
      await using lan = await createLan({ hosts: 4 });
      const [moving, ...others] = lan.hosts;
      const options = { state: state.path, seeds: [`ws://seed.test:${meshPort}`], wrap: names.wrap };
      await names.point("seed.test", moving.address);
      const seed = await startMember(spotOf(moving), options);
      const rest = await Promise.all(others.map((host) => startMember(spotOf(host), options)));
      await whole([seed, ...rest]);
      seed.kill("SIGKILL");
      await whole(rest);
      await ip(moving, `addr del ${moving.address}/24 dev eth0`);
      await ip(moving, "addr add 10.77.0.201/24 brd + dev eth0");
      await names.point("seed.test", "10.77.0.201");
      // It has no seed but itself: the others have to look the name up again.
      const again = await startMember({ host: moving, address: "10.77.0.201" }, options);
      await whole([again, ...rest]);
    });
  });
});
