import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { announceOriginal, createLan } from "../../src/index.ts";
import { describeNet, needsPeers } from "../../src/vitest.ts";
import { announce, type WatchEvent, watch } from "./command.ts";
import { lists, watchedList } from "./watched-list.ts";

/** How soon a list must be right again after the end of a suspension, in ms. */
const soonMs = 5_000;

const isAbout =
  (info: string, ...types: readonly WatchEvent["type"][]) =>
  ({ type, node }: WatchEvent): boolean =>
    node?.info === info && types.includes(type);

describeNet("a process that is suspended", () => {
  describe.concurrent("and goes on", () => {
    for (const { forMs, ttl } of [
      { forMs: 15_000, ttl: "10s" },
      { forMs: 90_000, ttl: "60s" },
    ]) {
      needsPeers(["python-zeroconf"])(
        `lists the living, the dead and the new as they are, after ${forMs / 1_000} s`,
        async () => {
          await using lan = await createLan({ hosts: 5 });
          const [a, b, c, d, e] = lan.hosts;
          await announce(b, "--port", "8000", "--info", "living", "--no-check");
          const seen = await watch(a, "--ttl", ttl);
          const list = watchedList(seen);
          await announceOriginal(c, { name: "original", info: "original" });
          const dying = await announce(d, "--port", "8000", "--info", "dying", "--no-check");
          await list.until(lists("dying", "living", "original"));
          // Has them all give signs of life, which the system keeps for the suspended process.
          const awake = await watch(e, "--ttl", "8s");
          await watchedList(awake).until(lists("dying", "living", "original"));

          seen.process.kill("SIGSTOP");
          await delay(forMs / 2);
          dying.kill("SIGKILL");
          await announce(d, "--port", "8001", "--info", "new", "--no-check");
          await delay(forMs / 2);
          seen.process.kill("SIGCONT");
          expect(await list.until(lists("living", "new", "original"))).toBeLessThan(soonMs);
          expect(seen.events().filter(isAbout("living", "down"))).toEqual([]);
          expect(seen.events().filter(isAbout("original", "down"))).toEqual([]);
          expect(seen.events().filter(isAbout("dying", "up", "down"))).toHaveLength(2);
          expect(seen.process.stdoutText).not.toContain('"warning"');
        },
        forMs + 60_000,
      );
    }

    test("is listed again by those who missed it", async () => {
      await using lan = await createLan({ hosts: 2 });
      const [a, b] = lan.hosts;
      const announcer = await announce(a, "--port", "8000", "--info", "asleep", "--no-check");
      const seen = await watch(b, "--ttl", "10s");
      const list = watchedList(seen);
      await list.until(lists("asleep"));
      announcer.kill("SIGSTOP");
      await list.until(lists(), 30_000);
      expect(seen.events().at(-1)).toMatchObject({ type: "down", reason: "expired" });
      announcer.kill("SIGCONT");
      expect(await list.until(lists("asleep"))).toBeLessThan(soonMs);
    }, 60_000);
  });
});
