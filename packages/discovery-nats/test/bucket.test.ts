import { expect, test } from "vitest";
import { bucketName } from "../src/bucket.ts";
import { PlainAnnouncer } from "./plain-announcer.ts";
import { describeNats } from "./servers/describe.ts";
import { NatsServer } from "./servers/server.ts";
import { openSite } from "./site.ts";

const lifetimeMs = 3_000;
const signal = new AbortController().signal;

describeNats("the store on a real server", { concurrent: true }, () => {
  test("tells others of a value, of another in its place, and of its end", async () => {
    await using server = await NatsServer.start();
    const options = { endpoints: [server.url], lifetimeMs };
    await using one = await openSite(options);
    await using other = await openSite(options);
    await other.view.lists([]);
    const held = await one.connection.hold("ab.01", "first", { signal });
    await other.view.lists(["ab.01"]);
    expect(other.view.values.get("ab.01")).toBe("first");
    await held.put("second", { signal });
    await other.view.until(({ values }) => values.get("ab.01") === "second");
    await using newcomer = await openSite(options);
    await newcomer.view.lists(["ab.01"]);
    expect(newcomer.view.values.get("ab.01")).toBe("second");
    await held[Symbol.asyncDispose]();
    await other.view.lists([]);
    expect([...one.reports, ...other.reports]).toEqual([]);
  });

  test("keeps what is renewed and drops what is not, also for who comes in the middle of its life", async () => {
    await using server = await NatsServer.start();
    const options = { endpoints: [server.url], lifetimeMs };
    await using watching = await openSite(options);
    await using alive = await openSite(options);
    await alive.connection.hold("a", "alive", { signal });
    await using doomed = await PlainAnnouncer.open(server.url, bucketName("tests"));
    await doomed.kv.put("n.b", "doomed");
    await watching.view.lists(["a", "b"]);
    await using late = await openSite(options);
    await Promise.all([watching, late].map(({ view }) => view.lists(["a"])));
    expect(watching.view.deleted).toEqual(["b"]);
  });
});
