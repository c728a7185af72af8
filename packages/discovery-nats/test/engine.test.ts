import { expect, test } from "vitest";
import { bucketName } from "../src/bucket.ts";
import { describeNats } from "./describe-nats.ts";
import { PlainAnnouncer } from "./plain-announcer.ts";
import { NatsServer } from "./server.ts";
import { openClient } from "./site.ts";

const lifetimeMs = 2_000;
const signal = new AbortController().signal;

describeNats("the engine on a real server", { concurrent: true }, () => {
  test("tells others of a value, of another in its place, and of its end", async () => {
    await using server = await NatsServer.start();
    const options = { endpoints: [server.url], lifetimeMs };
    await using one = await openClient(options);
    await using other = await openClient(options);
    await other.view.lists([]);
    const held = await one.connection.hold("ab.01", "first", { signal });
    await other.view.lists(["ab.01"]);
    expect(other.view.values.get("ab.01")).toBe("first");
    await held.put("second", { signal });
    await other.view.until(({ values }) => values.get("ab.01") === "second");
    await using newcomer = await openClient(options);
    await newcomer.view.lists(["ab.01"]);
    expect(newcomer.view.values.get("ab.01")).toBe("second");
    await held[Symbol.asyncDispose]();
    expect(await other.view.lists([])).toBeLessThan(1_000);
    expect([...one.reports, ...other.reports]).toEqual([]);
  });

  test("keeps what is renewed and drops what is not, one lifetime later", async () => {
    await using server = await NatsServer.start();
    const options = { endpoints: [server.url], lifetimeMs };
    await using watching = await openClient(options);
    await using alive = await openClient(options);
    await alive.connection.hold("a", "alive", { signal });
    await using doomed = await PlainAnnouncer.open(server.url, bucketName("tests"));
    await doomed.kv.put("n.b", "doomed");
    await watching.view.lists(["a", "b"]);
    const droppedMs = await watching.view.lists(["a"]);
    expect(droppedMs).toBeGreaterThan(lifetimeMs - 500);
    expect(droppedMs).toBeLessThan(lifetimeMs + 2_000);
    // Whoever comes in the middle of a life is told its rest: the server's clock says how old the value is.
    await doomed.kv.put("n.b", "doomed");
    const putMs = performance.now();
    await watching.view.until(() => false, lifetimeMs / 2).catch(() => {});
    await using late = await openClient(options);
    await late.view.lists(["a", "b"]);
    await late.view.lists(["a"]);
    expect(performance.now() - putMs).toBeLessThan(lifetimeMs + 1_000);
    expect(watching.view.values.has("a")).toBe(true);
    expect(watching.view.events.filter((event) => event.kind === "delete" && event.key === "a")).toEqual([]);
  });
});
