import { setTimeout as delay } from "node:timers/promises";
import { randomHex, silentLog, systemClock } from "@lmserv/discovery-core";
import { type Fixture, hostileFrames, seededRandom, transportConformance } from "@lmserv/discovery-testkit";
import { afterAll, beforeAll, test } from "vitest";
import { etcd } from "../src/transport.ts";
import { CountingProxy } from "./counting-proxy.ts";
import { describeEtcd } from "./describe-etcd.ts";
import { EtcdServer } from "./etcd-server.ts";
import { PlainFleet } from "./plain-fleet.ts";

const maxNodes = 20;
/** To etcd, through its log, and back. */
const turnMs = 8;

/** A cluster of its own, in which independent hosts announce nodes. */
async function clusterFixture(server: EtcdServer, ttlMs: number): Promise<Fixture> {
  const proxy = await CountingProxy.open(server.url);
  const hosts = new PlainFleet(server, randomHex(Math.random, 64));
  return {
    maxNodes,
    ttlMs,
    transport: () =>
      etcd({
        servers: [proxy.url],
        cluster: hosts.cluster,
        lifetimeMs: 3_000,
        addresses: ["127.0.0.1"],
        maxNodes,
      }),
    context: () => ({
      clock: systemClock,
      random: Math.random,
      log: silentLog,
      nodes: { listAlive: () => [] },
      report: () => {},
    }),
    appear: (node) => hosts.appear(node),
    disappear: (node) => hosts.disappear(node),
    sent: () => proxy.sent,
    advance: (ms) => delay(Math.max(ms, turnMs)),
    *hostile() {
      for (const frame of hostileFrames(decentValues(hosts), seededRandom(7), 5)) {
        yield async () => {
          const lease = await hosts.grant(600);
          await hosts.put(randomHex(Math.random, 64), frame, lease);
          await hosts.put(Buffer.from(frame).toString("latin1").slice(0, 200), frame, lease);
        };
      }
    },
    [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose](),
  };
}

function decentValues(hosts: PlainFleet): Uint8Array[] {
  const host = hosts.newHost();
  const node = { id: host.id, port: 8_000, info: "decent" };
  return [Buffer.from(host.valueOf(node, hosts.cluster))];
}

/** They count what waits, which repetitions add to. */
const counting = /^(capacity|slow-consumer):/;

for (const { ttlMs, isMeant } of [
  { ttlMs: 1_200, isMeant: (name: string) => !counting.test(name) },
  { ttlMs: 60_000, isMeant: (name: string) => counting.test(name) },
]) {
  describeEtcd(`etcd, browsed with ${ttlMs} ms`, {}, () => {
    let server: EtcdServer;
    beforeAll(async () => {
      server = await EtcdServer.start();
    });
    afterAll(() => server[Symbol.asyncDispose]());

    const register = (name: string, run: () => Promise<void>): void => {
      if (isMeant(name)) test(name, run);
    };
    transportConformance(register, {
      create: () => clusterFixture(server, ttlMs),
      announces: true,
      reconfirms: false,
      skip: {
        "name-conflict": "announcements are told apart by their keys; names may repeat",
        failure: "a session outlives its engine, and says so by a report and by stale nodes",
      },
    });
  });
}
