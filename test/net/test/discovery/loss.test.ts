import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { createLan } from "../../src/index.ts";
import { describeNet } from "../../src/vitest.ts";
import { announce, watch } from "./command.ts";
import { infosOf, lists, watchedList } from "./watched-list.ts";

/** About eighteen rounds of questions at the TTL of this test. */
const watchMs = 75_000;

describeNet("a LAN that loses a fifth of all packets", () => {
  test("lets ten nodes find each other, keeps them listed, and tells of their end", async () => {
    await using lan = await createLan({ hosts: 10 });
    await lan.lose(20);
    const watches = await Promise.all(lan.hosts.map((host) => watch(host, "--ttl", "10s")));
    const announcers = await Promise.all(
      lan.hosts.map((host) => announce(host, "--port", "8000", "--info", host.name, "--no-check")),
    );
    const views = watches.map(watchedList);
    const all = lan.hosts.map(({ name }) => name).sort();
    await Promise.all(views.map((view) => view.until(lists(...all))));

    const settled = watches.map((seen) => seen.events().length);
    await delay(watchMs);
    const news = watches.flatMap((seen, index) => seen.events().slice(settled[index]));
    expect(news.filter(({ type }) => type !== "updated")).toEqual([]);

    announcers[0]?.kill("SIGTERM");
    const [gone = "", ...rest] = all;
    await Promise.all(views.map((view) => view.until((nodes) => !infosOf(nodes).includes(gone))));
    expect(views.map((view) => infosOf(view.nodes()))).toEqual(views.map(() => rest));
  }, 180_000);
});
