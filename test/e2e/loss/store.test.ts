import { createLan, runOrThrow } from "@lmserv/test-netlab";
import { describeNet, needsPeers } from "@lmserv/test-netlab/vitest";
import { describe, expect } from "vitest";
import { announce, watch } from "../command/command.ts";
import { temporaryFolder } from "../command/temporary-folder.ts";
import { lists, watchedList } from "../command/watched-list.ts";
import { EtcdHosts } from "../store/etcd-host.ts";
import { NatsHosts } from "../store/nats-hosts.ts";
import { isStaleBy, lossesOf } from "./events.ts";

const stores = { etcd: EtcdHosts, nats: NatsHosts } as const;
const faults = [
  { type: "etcd", isEmpty: false },
  { type: "etcd", isEmpty: true },
  { type: "nats", isEmpty: false },
  { type: "nats", isEmpty: true },
] as const;

describeNet("a store that is killed and started again", () => {
  describe.concurrent("on one server", () => {
    for (const { type, isEmpty } of faults) {
      const name = `${type}, ${isEmpty ? "empty" : "with its data"}, has stale nodes, then fresh ones`;
      needsPeers([type])(name, async () => {
        await using folder = await temporaryFolder();
        await using lan = await createLan({ hosts: 3 });
        const [server, box, looking] = lan.hosts;
        const store = new stores[type]([server], folder.path);
        await store.start();
        const options = ["--transport", type, "--endpoint", ...store.urls];
        await announce(box, "--port", "8000", "--info", "box", "--no-check", ...options);
        const watcher = await watch(looking, ...options);
        const list = watchedList(watcher);
        await list.until(lists("box"));

        await store.kill(server);
        await list.until((nodes) => nodes.length === 1 && nodes.every(isStaleBy("MEDIUM_UNREACHABLE")));
        if (isEmpty) await runOrThrow(server, ["rm", "-rf", `${folder.path}/${server.name}`]);
        await store.start();
        await list.until((nodes) => lists("box")(nodes) && nodes.every(isStaleBy(null)));
        expect(lossesOf(watcher)).toEqual([`lost ${type} MEDIUM_UNREACHABLE`, `recovered ${type}`]);
        expect(watcher.events().map(({ type }) => type)).not.toContain("down");
      });
    }
  });
});
