import type { EngineEvent } from "@lmserv/discovery-fleet";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { expect, test, vi } from "vitest";
import { CountingProxy } from "./counting-proxy.ts";
import { describeNats } from "./describe-nats.ts";
import { close, expectWhole, keys, lose, losses, openFleet } from "./fleet.ts";
import { PlainAnnouncer } from "./plain-announcer.ts";
import { NatsServer } from "./server.ts";
import { openClient, patience } from "./site.ts";

/** A view doubts what it hears after 0.3 of it: longer than a busy machine keeps a process waiting. */
const lifetimeMs = 10_000;
const signal = new AbortController().signal;

describeNats("after a fault of the server", { concurrent: true }, () => {
  test("killed and started again with its data", async () => {
    await using server = await NatsServer.start();
    const clients = await openFleet({ lifetimeMs, endpoints: [server.url] });
    await server.kill();
    await lose(clients);
    expect(losses(clients)).toEqual(
      keys.map(
        () =>
          `MEDIUM_UNREACHABLE NATS at 127.0.0.1:${server.port} is not there, nothing listens: start nats-server, or correct the server's name`,
      ),
    );
    await server.start();
    await expectWhole(clients);
    await close(clients);
  });

  test("killed, and started again without its data after all has run out", async () => {
    await using server = await NatsServer.start();
    const clients = await openFleet({ lifetimeMs, endpoints: [server.url] });
    await server.kill();
    await lose(clients);
    await server.wipe();
    await clients[0]?.view.until(() => false, lifetimeMs).catch(() => {});
    await server.start();
    await expectWhole(clients);
    await close(clients);
  });

  test("stopped for three lifetimes", async () => {
    await using server = await NatsServer.start();
    const clients = await openFleet({ lifetimeMs, endpoints: [server.url] });
    server.signal("SIGSTOP");
    await lose(clients);
    await clients[0]?.view.until(() => false, 2 * lifetimeMs).catch(() => {});
    server.signal("SIGCONT");
    await expectWhole(clients);
    expect(losses(clients).length).toBe(keys.length);
    await close(clients);
  });

  test("stopped, while somebody leaves", async () => {
    await using server = await NatsServer.start();
    const clients = await openFleet({ lifetimeMs, endpoints: [server.url] });
    server.signal("SIGSTOP");
    // Nobody waits for a server that does not answer.
    await close(clients);
    server.signal("SIGCONT");
  });

  test("one that was killed meanwhile is dropped, one that left too", async () => {
    await using server = await NatsServer.start();
    const clients = await openFleet({ lifetimeMs, endpoints: [server.url] });
    await server.kill();
    await lose(clients);
    const [first, ...others] = clients;
    await first?.[Symbol.asyncDispose]();
    await server.start();
    await Promise.all(others.map(({ view }) => view.lists(keys.slice(1))));
    await close(others);
  });

  test("a password that was changed", async () => {
    const config = (password: string) =>
      `authorization { users = [ { user: "u", password: "${password}" } ] }`;
    await using server = await NatsServer.start({ config: config("old") });
    const clients = await openFleet({ lifetimeMs, endpoints: [server.url], user: "u", password: "old" });
    await server.kill();
    await server.start(config("new"));
    const isRefused = (event: EngineEvent): boolean =>
      event.kind === "lost" && event.error.code === "PERMISSION_DENIED";
    await Promise.all(clients.map(({ view }) => view.until(({ events }) => events.some(isRefused))));
    for (const message of losses(clients).filter((loss) => loss.startsWith("PERMISSION"))) {
      expect(message).toContain(`NATS at 127.0.0.1:${server.port} refuses us: check the user and password`);
    }
    await server.kill();
    await server.start(config("old"));
    await expectWhole(clients);
    await close(clients);
  });

  test("the bucket deleted by somebody", async () => {
    await using server = await NatsServer.start();
    const clients = await openFleet({ lifetimeMs, endpoints: [server.url] });
    await using somebody = await PlainAnnouncer.open(server.url, "lmserv_tests");
    await somebody.kv.destroy();
    await Promise.all(clients.map(({ view }) => view.until((seen) => seen.count("snapshot") > 0)));
    await expectWhole(clients);
    await close(clients);
  });

  test("a full disk", async () => {
    await using server = await NatsServer.start({ diskKiB: 512 });
    const clients = await openFleet({ lifetimeMs, endpoints: [server.url] });
    await server.fillDisk();
    await lose(clients);
    // One of 2.9 gives its JetStream up until it is started again; later ones only refuse what is put.
    for (const loss of losses(clients)) expect(loss).toMatch(/^MEDIUM_UNREACHABLE .* disk .*may be full/);
    await server.kill();
    await server.start();
    await expectWhole(clients);
    await close(clients);
  });

  test("values that several announcers stop to renew at once", async () => {
    await using server = await NatsServer.start();
    await using others = await PlainAnnouncer.make(server.url, "lmserv_tests", lifetimeMs);
    await using client = await openClient({ lifetimeMs, endpoints: [server.url] });
    for (const key of keys) await others.appear(`n.${key}`, key, lifetimeMs / 4);
    await client.view.lists(keys);
    for (const key of keys) others.vanish(`n.${key}`);
    // That says more of the server than of them.
    await client.view.until(({ isLost }) => isLost);
    expect(losses([client])).toEqual([expect.stringContaining("the disk of NATS may be full")]);
    await client.view.until(() => false, lifetimeMs).catch(() => {});
    await others.appear("n.b", "b", lifetimeMs / 4);
    await client.view.lists(["b"]);
    expect(client.view.count("delete")).toBe(0);
    // Of one alone there is no doubt.
    others.vanish("n.b");
    await client.view.lists([]);
    expect(losses([client])).toHaveLength(1);
  });

  test("connections that broke ten times leave no consumers behind", async () => {
    await using server = await NatsServer.start();
    await using proxy = await CountingProxy.open(server.url);
    const observer = await connect({ servers: server.url });
    const { streams } = await jetstreamManager(observer);
    const countConsumers = async (): Promise<number> =>
      (await streams.info("KV_lmserv_tests")).state.consumer_count;
    const clients = await openFleet({ endpoints: [proxy.url], lifetimeMs });
    await vi.waitFor(async () => expect(await countConsumers()).toBe(clients.length), patience);
    for (let reconnect = 1; reconnect <= 10; reconnect += 1) {
      proxy.heal();
      await Promise.all(clients.map(({ view }) => view.until((seen) => seen.count("snapshot") >= reconnect)));
    }
    // A server forgets whom nobody listens to after 10 s.
    await vi.waitFor(async () => expect(await countConsumers()).toBe(clients.length), patience);
    // They are those through which everybody watches.
    await clients[0]?.connection.hold("d", "value", { signal });
    await Promise.all(clients.map(({ view }) => view.lists([...keys, "d"])));
    await Promise.all([close(clients), observer.close()]);
  });

  test("half of the clients cut off, without a word", async () => {
    await using server = await NatsServer.start();
    await using proxy = await CountingProxy.open(server.url);
    const near = await openFleet({ lifetimeMs, endpoints: [server.url] });
    const far = await Promise.all(
      ["x", "y"].map(async (key) => {
        const client = await openClient({ lifetimeMs, endpoints: [proxy.url] });
        await client.connection.hold(key, key, { signal });
        return client;
      }),
    );
    const everybody = [...keys, "x", "y"];
    await Promise.all([...near, ...far].map(({ view }) => view.lists(everybody)));
    proxy.cut();
    await lose(far);
    // Those who are cut off are gone for the others one lifetime later, which lose nothing else.
    await Promise.all(near.map(({ view }) => view.lists(keys)));
    expect(losses(near)).toEqual([]);
    proxy.heal();
    await Promise.all([...near, ...far].map(({ view }) => view.lists(everybody)));
    expect(far.flatMap(({ view }) => view.events).filter(({ kind }) => kind === "delete")).toEqual([]);
    await close([...near, ...far]);
  });
});
