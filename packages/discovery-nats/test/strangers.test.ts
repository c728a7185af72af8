import { maxValueBytes } from "@lmserv/discovery-store";
import { expect, test, vi } from "vitest";
import { PlainAnnouncer } from "./plain-announcer.ts";
import { describeNats } from "./servers/describe.ts";
import { NatsServer } from "./servers/server.ts";
import { openSite, patience } from "./site.ts";

const signal = new AbortController().signal;

describeNats("what strangers do in the bucket", { concurrent: true }, () => {
  test("is passed on as no announcement, where it cannot be one", async () => {
    await using server = await NatsServer.start();
    await using strangers = await PlainAnnouncer.make(server.url, "lmserv_tests", 60_000);
    await strangers.kv.put("n.long", "x".repeat(maxValueBytes + 1));
    await strangers.kv.put("n.binary", Uint8Array.of(0xff, 0xfe, 0));
    await strangers.kv.put("n.empty", "");
    await strangers.kv.put("n.text", "hello");
    await strangers.kv.put("theirs", "not under n.");
    await using client = await openSite({ endpoints: [server.url] });
    await client.view.lists(["long", "binary", "empty", "text"]);
    expect(Object.fromEntries(client.view.values)).toEqual({
      long: "",
      binary: "",
      empty: "",
      text: "hello",
    });
    await strangers.kv.purge("n.text");
    await client.view.lists(["long", "binary", "empty"]);
  });

  test("writing over a value, or deleting it, is undone, and said", async () => {
    // A renewal that is half of it late cannot tell a stranger's value from an expired life.
    const lifetimeMs = 30_000;
    await using server = await NatsServer.start();
    await using one = await openSite({ endpoints: [server.url], lifetimeMs });
    await using other = await openSite({ endpoints: [server.url], lifetimeMs });
    await one.connection.hold("a", "ours", { signal });
    await other.view.until(({ values }) => values.get("a") === "ours");
    await using strangers = await PlainAnnouncer.open(server.url, "lmserv_tests");
    await strangers.kv.put("n.a", "theirs");
    await other.view.until(({ values }) => values.get("a") === "theirs");
    await other.view.until(({ values }) => values.get("a") === "ours");
    await vi.waitFor(() => expect(one.reports.map(({ code }) => code)).toEqual(["NAME_CONFLICT"]), patience);
    await strangers.kv.delete("n.a");
    await other.view.lists([]);
    await other.view.lists(["a"]);
  });

  test("ten thousand of them are listed, the others are not", async () => {
    await using server = await NatsServer.start();
    await using strangers = await PlainAnnouncer.make(server.url, "lmserv_tests", 60_000);
    await using client = await openSite({ endpoints: [server.url], lifetimeMs: 60_000 });
    for (let from = 0; from < 10_200; from += 600) {
      await Promise.all(
        Array.from({ length: 600 }, (_, offset) => strangers.kv.put(`n.${from + offset}`, "x")),
      );
    }
    await client.view.until(({ values }) => values.size === 10_000);
    await using newcomer = await openSite({ endpoints: [server.url], lifetimeMs: 60_000 });
    await newcomer.view.until(({ passes }) => passes > 0);
    expect(newcomer.view.values.size).toBe(10_000);
  });
});
