import { createLan, runOrThrow } from "@lmserv/test-netlab";
import { describeNet, needsPeers } from "@lmserv/test-netlab/vitest";
import { expect } from "vitest";
import { announce, watch } from "../command/command.ts";
import { temporaryFolder } from "../command/temporary-folder.ts";
import { lists, watchedList } from "../command/watched-list.ts";
import { EtcdHosts } from "../store/etcd-host.ts";
import { isStaleBy, lossesOf } from "./events.ts";

const test = needsPeers(["etcd"]);

describeNet("an etcd", () => {
  for (const isEmpty of [false, true]) {
    test(`that is killed and started again, ${isEmpty ? "empty" : "with its data"}, has stale nodes, then fresh ones`, async () => {
      await using folder = await temporaryFolder();
      await using lan = await createLan({ hosts: 3 });
      const [server, box, looking] = lan.hosts;
      const etcd = new EtcdHosts([server], folder.path);
      await etcd.start();
      const options = ["--transport", "etcd", "--endpoint", ...etcd.urls];
      await announce(box, "--port", "8000", "--info", "box", "--no-check", ...options);
      const watcher = await watch(looking, ...options);
      const list = watchedList(watcher);
      await list.until(lists("box"));

      await etcd.kill(server);
      await list.until((nodes) => nodes.length === 1 && nodes.every(isStaleBy("MEDIUM_UNREACHABLE")));
      if (isEmpty) await runOrThrow(server, ["rm", "-rf", `${folder.path}/${server.name}`]);
      await etcd.start();
      await list.until((nodes) => lists("box")(nodes) && nodes.every(isStaleBy(null)));
      expect(lossesOf(watcher)).toEqual(["lost etcd MEDIUM_UNREACHABLE", "recovered etcd"]);
      expect(watcher.events().map(({ type }) => type)).not.toContain("down");
    });
  }
});
