import type { EngineEvent } from "@lmserv/discovery-fleet";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { expect, test, vi } from "vitest";
import { NatsCluster } from "./cluster.ts";
import { CountingProxy } from "./counting-proxy.ts";
import { describeNats } from "./describe-nats.ts";
import { PlainAnnouncer } from "./plain-announcer.ts";
import { NatsServer } from "./server.ts";
import { type Client, openClient, patience } from "./site.ts";

const lifetimeMs = 2_000;
/** The servers of a cluster take 4 to 9 s to choose another leader, and longer on a busy machine. */
const clusterLifetimeMs = 60_000;
const signal = new AbortController().signal;
const keys = ["a", "b", "c"];

/** Three announcers and watchers, each of which lists all, and has said nothing since. */
async function openFleet(options: Parameters<typeof openClient>[0]): Promise<readonly Client[]> {
  const clients = await Promise.all(keys.map(() => openClient({ lifetimeMs, ...options })));
  for (const [index, { connection }] of clients.entries()) {
    const value = `value of ${keys[index]}`.padEnd(8_000);
    await connection.hold(keys[index] ?? "", value, { signal });
  }
  await Promise.all(clients.map(({ view }) => view.lists(keys)));
  for (const { view } of clients) view.events.length = 0;
  return clients;
}

const close = (clients: readonly Client[]) =>
  Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
const lose = (clients: readonly Client[]) =>
  Promise.all(clients.map(({ view }) => view.until(({ isLost }) => isLost)));

/** Everybody lists all in the end; where somebody was missing at once, that followed a loss. */
async function expectWhole(clients: readonly Client[]): Promise<void> {
  await Promise.all(clients.map(({ view }) => view.lists(keys)));
  for (const { view } of clients) {
    expect(view.count("delete")).toBe(0);
    let listed = new Set(keys);
    for (const [index, event] of view.events.entries()) {
      if (event.kind === "put") listed.add(event.key);
      if (event.kind !== "snapshot") continue;
      const present = new Set(event.entries.map(({ key }) => key));
      const missing = [...listed].filter((key) => !present.has(key));
      if (view.events[index - 1]?.kind !== "lost") expect(missing).toEqual([]);
      listed = present;
    }
  }
}

function losses(clients: readonly Client[]): readonly string[] {
  return clients.flatMap(({ view }) =>
    view.events.flatMap((event) =>
      event.kind === "lost" ? [`${event.error.code} ${event.error.message}`] : [],
    ),
  );
}

describeNats("after a fault of the server", { concurrent: true }, () => {
  test("killed and started again with its data", async () => {
    await using server = await NatsServer.start();
    const clients = await openFleet({ endpoints: [server.url] });
    await server.kill();
    await lose(clients);
    expect(losses(clients)).toEqual(
      keys.map(
        () =>
          `ENGINE_UNREACHABLE NATS at 127.0.0.1:${server.port} is not there, nothing listens: start nats-server, or correct the server's name`,
      ),
    );
    await server.start();
    await expectWhole(clients);
    await close(clients);
  });

  test("killed, and started again without its data after all has run out", async () => {
    await using server = await NatsServer.start();
    const clients = await openFleet({ endpoints: [server.url] });
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
    const clients = await openFleet({ endpoints: [server.url] });
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
    const clients = await openFleet({ endpoints: [server.url] });
    server.signal("SIGSTOP");
    // Nobody waits for a server that does not answer.
    await close(clients);
    server.signal("SIGCONT");
  });

  test("one that was killed meanwhile is dropped, one that left too", async () => {
    await using server = await NatsServer.start();
    const clients = await openFleet({ endpoints: [server.url] });
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
    const clients = await openFleet({ endpoints: [server.url], user: "u", password: "old" });
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
    const clients = await openFleet({ endpoints: [server.url] });
    await using somebody = await PlainAnnouncer.open(server.url, "lmserv_tests");
    await somebody.kv.destroy();
    await Promise.all(clients.map(({ view }) => view.until((seen) => seen.count("snapshot") > 0)));
    await expectWhole(clients);
    await close(clients);
  });

  test("a full disk", async () => {
    await using server = await NatsServer.start({ diskKiB: 512 });
    const clients = await openFleet({ endpoints: [server.url] });
    await server.fillDisk();
    await lose(clients);
    // One of 2.9 gives its JetStream up until it is started again; later ones only refuse what is put.
    for (const loss of losses(clients)) expect(loss).toMatch(/^ENGINE_UNREACHABLE .* disk .*may be full/);
    await server.kill();
    await server.start();
    await expectWhole(clients);
    await close(clients);
  });

  test("values that several announcers stop to renew at once", async () => {
    await using server = await NatsServer.start();
    await using others = await PlainAnnouncer.make(server.url, "lmserv_tests", lifetimeMs);
    await using client = await openClient({ endpoints: [server.url] });
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
    const clients = await openFleet({ endpoints: [proxy.url], lifetimeMs: 2 * lifetimeMs });
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
    const near = await openFleet({ endpoints: [server.url] });
    const far = await Promise.all(
      ["x", "y"].map(async (key) => {
        const client = await openClient({ endpoints: [proxy.url] });
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

// By itself: servers that choose a leader need the processor, and watch the clock.
describeNats("nobody notices", {}, () => {
  test("when the one of three servers that leads is killed", async () => {
    await using cluster = await NatsCluster.start(3);
    const clients = await openFleet({ endpoints: cluster.urls, replicas: 3, lifetimeMs: clusterLifetimeMs });
    const sequences = (): Promise<number[]> =>
      Promise.all(keys.map((key) => cluster.sequenceOf("lmserv_tests", `n.${key}`)));
    const before = Math.max(...(await sequences()));
    await cluster.kill(await cluster.leaderOf("lmserv_tests"));
    const newcomer = await openClient({
      endpoints: cluster.urls,
      replicas: 3,
      lifetimeMs: clusterLifetimeMs,
    });
    await newcomer.connection.hold("d", "newcomer", { signal });
    const all = [...clients, newcomer];
    await Promise.all(all.map(({ view }) => view.lists([...keys, "d"])));
    // Everybody's value has been put once more since.
    await vi.waitFor(async () => expect(Math.min(...(await sequences()))).toBeGreaterThan(before), patience);
    expect(losses(all)).toEqual([]);
    for (const { view, reports } of all) {
      expect(view.count("delete")).toBe(0);
      expect(reports).toEqual([]);
      expect([...view.values.keys()].sort()).toEqual([...keys, "d"]);
    }
    await close(all);
  });
});
