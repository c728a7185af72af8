import { setTimeout as delay } from "node:timers/promises";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { expect, test, vi } from "vitest";
import { allList, allWarned, type Client, downsOf } from "../../discovery-store/test/client.ts";
import { close, join, names, openClients, stale } from "./clients.ts";
import { PlainAnnouncer } from "./plain-announcer.ts";
import { CountingProxy } from "./servers/counting-proxy.ts";
import { describeNats } from "./servers/describe.ts";
import { NatsServer } from "./servers/server.ts";
import { openSite, patience } from "./site.ts";

/** A view becomes doubtful after 0.3 of it: longer than a busy machine keeps a process waiting. */
const lifetimeMs = 10_000;
const signal = new AbortController().signal;
const options = { lifetimeMs, cluster: "tests" };

/** Asserts that no client was ever missing, and that all are listed. */
async function expectWhole(clients: readonly Client[], ...all: readonly string[]): Promise<void> {
  await allList(clients, ...(all.length > 0 ? all : names));
  expect(downsOf(clients)).toEqual([]);
}

describeNats("after a fault of the server", { concurrent: true }, () => {
  test("killed and started again with its data", async () => {
    await using server = await NatsServer.start();
    const clients = await openClients({ ...options, endpoints: [server.url] });
    await server.kill();
    await allList(clients, ...stale(names));
    expect(clients.flatMap(({ messages }) => messages)).toEqual(
      names.map(
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
    const clients = await openClients({ ...options, endpoints: [server.url] });
    await server.kill();
    await allWarned(clients, "MEDIUM_UNREACHABLE");
    await server.wipe();
    // The outage itself: no value outlives it.
    await delay(lifetimeMs);
    await server.start();
    await expectWhole(clients);
    await close(clients);
  });

  test("started again without its data, of two hundred nodes none has gone", async () => {
    await using server = await NatsServer.start();
    // Long enough for the busiest machine to announce all of them again.
    const all = { ...options, lifetimeMs: 120_000, endpoints: [server.url] };
    const crowd = Array.from({ length: 200 }, (_, index) => `n${index}`);
    const [watcher, announcer] = await Promise.all([0, 1].map(() => join(all)));
    const clients = [watcher, announcer].filter((client) => client !== undefined);
    await Promise.all(
      crowd.map((info, index) => announcer?.discovery.announce({ port: 30_000 + index, info })),
    );
    await allList(clients, ...crowd);
    await server.kill();
    await server.wipe();
    await allWarned(clients, "MEDIUM_UNREACHABLE");
    await server.start();
    const last = await join(all, "last");
    await allList([last], ...crowd, "last");
    await expectWhole([...clients, last], ...crowd, "last");
    await close([...clients, last]);
  });

  test("stopped for two lifetimes", async () => {
    await using server = await NatsServer.start();
    const clients = await openClients({ ...options, endpoints: [server.url] });
    server.signal("SIGSTOP");
    await allWarned(clients, "MEDIUM_UNREACHABLE");
    // The standstill itself.
    await delay(lifetimeMs);
    server.signal("SIGCONT");
    await expectWhole(clients);
    for (const { warnings } of clients) expect(warnings).toEqual(["MEDIUM_UNREACHABLE"]);
    await close(clients);
  });

  test("stopped, while somebody leaves", async () => {
    await using server = await NatsServer.start();
    const clients = await openClients({ ...options, endpoints: [server.url] });
    server.signal("SIGSTOP");
    // No client waits for a silent server.
    await close(clients);
    server.signal("SIGCONT");
  });

  test("one that was killed meanwhile is dropped", async () => {
    await using server = await NatsServer.start();
    const clients = await openClients({ ...options, endpoints: [server.url] });
    await server.kill();
    await allWarned(clients, "MEDIUM_UNREACHABLE");
    const [first, ...others] = clients;
    await first?.[Symbol.asyncDispose]();
    await server.start();
    await allList(others, ...names.slice(1));
    await close(others);
  });

  test("a password that was changed", async () => {
    const config = (password: string) =>
      `authorization { users = [ { user: "u", password: "${password}" } ] }`;
    await using server = await NatsServer.start({ config: config("old") });
    const clients = await openClients({ ...options, endpoints: [server.url], user: "u", password: "old" });
    await server.kill();
    await server.start(config("new"));
    await allWarned(clients, "PERMISSION_DENIED");
    for (const message of clients.flatMap(({ messages }) => messages)) {
      if (!message.startsWith("PERMISSION")) continue;
      expect(message).toContain(`NATS at 127.0.0.1:${server.port} refuses us: check the user and password`);
    }
    await server.kill();
    await server.start(config("old"));
    await expectWhole(clients);
    await close(clients);
  });

  test("the bucket deleted by somebody", async () => {
    await using server = await NatsServer.start();
    const clients = await openClients({ ...options, endpoints: [server.url] });
    await using somebody = await PlainAnnouncer.open(server.url, "lmserv_tests");
    await somebody.kv.destroy();
    await allWarned(clients, "MEDIUM_UNREACHABLE");
    const newcomer = await join({ ...options, endpoints: [server.url] }, "d");
    await allList([newcomer], ...names, "d");
    await expectWhole([...clients, newcomer], ...names, "d");
    await close([...clients, newcomer]);
  });

  test("a full disk", async () => {
    await using server = await NatsServer.start({ diskKiB: 512 });
    const clients = await openClients({ ...options, endpoints: [server.url] });
    await server.fillDisk();
    // 2.9 gives its JetStream up until it is restarted; later releases only refuse puts.
    const isTold = (): void => {
      for (const { messages } of clients) {
        expect(messages).toContainEqual(expect.stringMatching(/^MEDIUM_UNREACHABLE .* disk .*may be full/));
      }
    };
    await vi.waitFor(isTold, patience);
    await server.kill();
    await server.start();
    await expectWhole(clients);
    await close(clients);
  });

  test("values that several announcers stop to renew at once", async () => {
    await using server = await NatsServer.start();
    await using others = await PlainAnnouncer.make(server.url, "lmserv_tests", lifetimeMs);
    await using site = await openSite({ lifetimeMs, endpoints: [server.url] });
    for (const name of names) await others.appear(`n.${name}`, name, lifetimeMs / 4);
    await site.view.lists(names);
    for (const name of names) others.vanish(`n.${name}`);
    // Such silence suggests a fault of the server.
    await vi.waitFor(() => expect(site.reports).toHaveLength(1), patience);
    expect(site.reports[0]?.message).toContain("the disk of NATS may be full");
    expect(site.view.deleted).toEqual([]);
    await others.appear("n.b", "b", lifetimeMs / 4);
    await site.view.lists(["b"]);
    // A single silent value raises no suspicion.
    others.vanish("n.b");
    await site.view.lists([]);
    expect(site.reports).toHaveLength(1);
  });

  test("connections that broke ten times leave no consumers behind", async () => {
    await using server = await NatsServer.start();
    await using proxy = await CountingProxy.open(server.url);
    const observer = await connect({ servers: server.url });
    const { streams } = await jetstreamManager(observer);
    const countConsumers = async (): Promise<number> =>
      (await streams.info("KV_lmserv_tests")).state.consumer_count;
    const sites = await Promise.all(names.map(() => openSite({ endpoints: [proxy.url], lifetimeMs })));
    await Promise.all(
      sites.map(({ connection }, index) => connection.hold(names[index] ?? "", "x", { signal })),
    );
    await Promise.all(sites.map(({ view }) => view.lists(names)));
    await vi.waitFor(async () => expect(await countConsumers()).toBe(sites.length), patience);
    for (let passes = 2; passes <= 11; passes += 1) {
      proxy.heal();
      await Promise.all(sites.map(({ view }) => view.until((seen) => seen.passes >= passes)));
    }
    // A server forgets a consumer without a listener after 10 s.
    await vi.waitFor(async () => expect(await countConsumers()).toBe(sites.length), patience);
    // The remaining consumers serve all watches.
    await sites[0]?.connection.hold("d", "value", { signal });
    await Promise.all(sites.map(({ view }) => view.lists([...names, "d"])));
    expect(sites.flatMap(({ view }) => view.deleted)).toEqual([]);
    await Promise.all([...sites.map((site) => site[Symbol.asyncDispose]()), observer.close()]);
  });

  test("half of the clients cut off, without a word", async () => {
    await using server = await NatsServer.start();
    await using proxy = await CountingProxy.open(server.url);
    const near = await openClients({ ...options, endpoints: [server.url] });
    const far = await Promise.all(
      ["x", "y"].map((name) => join({ ...options, endpoints: [proxy.url] }, name)),
    );
    const everybody = [...names, "x", "y"];
    await allList([...near, ...far], ...everybody);
    proxy.cut();
    await allWarned(far, "MEDIUM_UNREACHABLE");
    // Clients that are cut off are gone for the others one lifetime later; those lose no other.
    await allList(near, ...names);
    expect(near.flatMap(({ messages }) => messages)).toEqual([]);
    proxy.heal();
    await allList([...near, ...far], ...everybody);
    expect(downsOf(near).toSorted()).toEqual(["x", "x", "x", "y", "y", "y"]);
    await close([...near, ...far]);
  });
});
