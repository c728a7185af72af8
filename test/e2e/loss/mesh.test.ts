import { createLan, type Host, type HostProcess, runOrThrow } from "@lmserv/test-netlab";
import { describeNet, needsPeers } from "@lmserv/test-netlab/vitest";
import { expect, test } from "vitest";
import { endpointEvents, type ListedNode, listen } from "../command/command.ts";
import { temporaryFolder } from "../command/temporary-folder.ts";
import { lists, watchedList } from "../command/watched-list.ts";
import { deploy, start, watchFrom } from "../config/deployment.ts";
import { meshPort, spotOf, startMember, urlOf, whole } from "../mesh/member.ts";
import { isStaleBy, lossesOf } from "./events.ts";
import { takePort } from "./take-port.ts";

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

  needsPeers(["python"])(
    "whose member cannot listen any more has stale nodes there, then fresh ones and those that are gone",
    async () => {
      await using folder = await temporaryFolder();
      await using lan = await createLan({ hosts: 3 });
      const [a, b, c] = lan.hosts;
      const seeds = [a, b].map((host) => urlOf(spotOf(host)));
      const site = await deploy(folder.path, { transports: { mesh: { keyFile: "mesh.key", seeds } } });
      await listen(a, 8000);
      const announce = async (host: Host, ...command: string[]): Promise<HostProcess> => {
        const announcer = await start(host, site, ...command, "--port", "8000", "--info", host.name);
        await announcer.stderrLine((line) => line.includes("announced "));
        return announcer;
      };
      await announce(a, "up");
      await announce(b, "announce", "--no-check");
      const dying = await announce(c, "announce", "--no-check");
      const own = await endpointEvents(a);
      const list = watchedList(own);
      const remote = (nodes: readonly ListedNode[]) => nodes.filter(({ info }) => info !== a.name);
      await list.until((nodes) => lists(b.name, c.name)(remote(nodes)));
      const others = watchedList(await watchFrom(b, site));
      await others.until(lists(a.name, b.name, c.name));

      const taker = await takePort(a, meshPort, "tcp", "eth0");
      const { code = "" } = await own.event(({ type }) => type === "lost");
      await list.until((nodes) => remote(nodes).length === 2 && remote(nodes).every(isStaleBy(code)));
      await others.until(lists(b.name, c.name));
      dying.kill("SIGKILL");
      await dying.exited;
      await taker[Symbol.asyncDispose]();

      const gone = await own.event(({ type }) => type === "down");
      expect(gone).toMatchObject({ reason: "unreachable", node: { info: c.name } });
      await list.until((nodes) => lists(b.name)(remote(nodes)) && remote(nodes).every(isStaleBy(null)));
      expect(lossesOf(own)).toEqual([`lost mesh ${code}`, "recovered mesh"]);
      await others.until(lists(a.name, b.name));
    },
  );
});
