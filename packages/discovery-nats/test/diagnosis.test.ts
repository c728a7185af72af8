import { type Check, silentLog, systemClock } from "@lmserv/discovery-core/transport";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { expect, test } from "vitest";
import { freePort } from "../../discovery-store/test/free-port.ts";
import { type NatsOptions, nats } from "../src/transport.ts";
import { PlainAnnouncer } from "./plain-announcer.ts";
import { describeNats } from "./servers/describe.ts";
import { NatsServer } from "./servers/server.ts";

/** The only finding. */
async function examine(options: NatsOptions): Promise<Check | undefined> {
  const context = { clock: systemClock, random: Math.random, log: silentLog, neighbors: async () => [] };
  const checks: Check[] = [];
  const { signal } = new AbortController();
  for await (const one of nats(options).diagnose?.(context, { signal }) ?? []) checks.push(one);
  expect(checks).toHaveLength(1);
  return checks[0];
}

describeNats("the examination of NATS", { concurrent: true }, () => {
  test("reads what there is", async () => {
    await using server = await NatsServer.start();
    await using others = await PlainAnnouncer.make(server.url, "lmserv_default", 60_000);
    for (const key of ["n.a", "n.b", "n.gone"]) await others.kv.put(key, "value");
    await others.kv.delete("n.gone");
    expect(await examine({ endpoints: [server.url] })).toEqual({
      code: "nats/store-read",
      verdict: "ok",
      transport: "nats",
      interface: null,
      message: `nats at 127.0.0.1:${server.port} lets us in, and has 2 values of the fleet default`,
      fix: null,
    });
  });

  test("makes nothing", async () => {
    await using server = await NatsServer.start();
    const found = await examine({ endpoints: [server.url] });
    expect(found).toMatchObject({
      code: "nats/store-read",
      message: expect.stringContaining("has 0 values"),
    });
    const connection = await connect({ servers: server.url });
    expect(await (await jetstreamManager(connection)).getAccountInfo()).toMatchObject({ streams: 0 });
    await connection.close();
  });

  test.each([
    ["a password", `users = [ { user: "u", password: "other" } ]`, "check the user and password"],
    [
      "the right to watch",
      `users = [ { user: "u", password: "p", permissions: { publish: ["$JS.API.STREAM.INFO.>"], subscribe: [">"] } } ]`,
      "does not let us publish",
    ],
  ])("says that it lacks %s", async (_, users, message) => {
    await using server = await NatsServer.start();
    await using _bucket = await PlainAnnouncer.make(server.url, "lmserv_default", 60_000);
    await server.kill();
    await server.start(`authorization { ${users} }`);
    const found = await examine({ endpoints: [server.url], user: "u", password: "p" });
    expect(found).toMatchObject({ code: "nats/store-refuses", message: expect.stringContaining(message) });
  });

  test("says that nobody listens", async () => {
    const found = await examine({ endpoints: [`127.0.0.1:${await freePort()}`] });
    expect(found).toMatchObject({ code: "nats/store-absent", verdict: "fail" });
    expect(found?.fix).toContain("start it");
  });

  test("says that it keeps nothing", async () => {
    await using server = await NatsServer.start({ data: null });
    expect(await examine({ endpoints: [server.url] })).toMatchObject({
      code: "nats/store-unfit",
      message: expect.stringContaining("has no JetStream"),
    });
  });
});
