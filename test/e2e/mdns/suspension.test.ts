import { announceOriginal, createLan } from "@lmserv/test-netlab";
import { describeNet, needsPeers } from "@lmserv/test-netlab/vitest";
import { describe, expect } from "vitest";
import { announce, type WatchEvent, watch } from "../command/command.ts";
import { lists, watchedList } from "../command/watched-list.ts";

const isAbout =
  (info: string, ...types: readonly WatchEvent["type"][]) =>
  ({ type, node }: WatchEvent): boolean =>
    node?.info === info && types.includes(type);

// Virtual time covers the missed packets of a stopped process, and their duration.
describeNet("a process that the system stopped", () => {
  describe.concurrent("and goes on", () => {
    needsPeers(["python-zeroconf"])(
      "lists the living, the dead and the new as they are, and is listed again",
      async () => {
        await using lan = await createLan({ hosts: 5 });
        const [a, b, c, d, e] = lan.hosts;
        const [living] = await Promise.all([
          announce(b, "--port", "8000", "--info", "living", "--no-check"),
          announceOriginal(c, { name: "original", info: "original" }),
        ]);
        const dying = await announce(d, "--port", "8000", "--info", "dying", "--no-check");
        // The one that is awake has them all give signs of life, which the system keeps for the other.
        const [seen, awake] = await Promise.all([watch(a, "--ttl", "6s"), watch(e, "--ttl", "6s")]);
        const [list, awakeList] = [watchedList(seen), watchedList(awake)];
        await list.until(lists("dying", "living", "original"));
        await awakeList.until(lists("dying", "living", "original"));

        seen.process.kill("SIGSTOP");
        dying.kill("SIGKILL");
        await announce(d, "--port", "8001", "--info", "new", "--no-check");
        await awakeList.until(lists("living", "new", "original"));
        seen.process.kill("SIGCONT");
        await list.until(lists("living", "new", "original"));
        expect(seen.events().filter(isAbout("dying", "up", "down"))).toHaveLength(2);

        living.kill("SIGSTOP");
        await awakeList.until(lists("new", "original"));
        living.kill("SIGCONT");
        await awakeList.until(lists("living", "new", "original"));
      },
    );
  });
});
