import { setTimeout as delay } from "node:timers/promises";
import { randomHex, silentLog } from "@lmserv/discovery-core/transport";
import {
  type Fixture,
  hostileFrames,
  seededRandom,
  transportConformance,
  VirtualClock,
} from "@lmserv/discovery-testkit";
import { afterAll, beforeAll, test } from "vitest";
import { etcd } from "../src/transport.ts";
import { PlainAnnouncer } from "./plain-announcer.ts";
import { CountingProxy } from "./servers/counting-proxy.ts";
import { describeEtcd } from "./servers/describe.ts";
import { EtcdServer } from "./servers/server.ts";

const maxNodes = 20;
/** Time of a put: to etcd, through its log, and back, in ms. */
const turnMs = 8;
/** Step in ms: time goes with the server's, or stands still with this process. */
const stepMs = 20;
/** Rules that wait for several lifetimes run side by side; others examine the whole process. */
const patient = /^(settled|repeats|evidence):/;

/** Cluster of its own, in which independent hosts announce nodes. */
async function clusterFixture(
  server: EtcdServer,
  ttlMs: number,
  more: Partial<Fixture> = {},
): Promise<Fixture> {
  const clock = new VirtualClock();
  const proxy = await CountingProxy.open(server.url);
  const hosts = new PlainAnnouncer(server, randomHex(Math.random, 64));
  return {
    maxNodes,
    ttlMs,
    transport: () =>
      etcd({
        endpoints: [proxy.url],
        cluster: hosts.cluster,
        lifetimeMs: 6_000,
        addresses: ["127.0.0.1"],
        maxNodes,
      }),
    context: () => ({
      clock,
      random: Math.random,
      log: silentLog,
      nodes: { listAlive: () => [] },
      report: () => {},
    }),
    appear: (node) => hosts.appear(node),
    disappear: (node) => hosts.disappear(node),
    sent: () => proxy.sent,
    async advance(ms) {
      for (let leftMs = ms; leftMs > 0; leftMs -= stepMs) {
        await delay(Math.max(Math.min(leftMs, stepMs), turnMs));
        await clock.advance(Math.min(leftMs, stepMs));
      }
      if (ms > 0) return;
      await delay(turnMs);
      await clock.advance(0);
    },
    patienceMs: 120_000,
    *hostile() {
      for (const frame of hostileFrames(validValues(hosts), seededRandom(7), 5)) {
        yield async () => {
          const lease = await hosts.grant(600);
          await hosts.put(randomHex(Math.random, 64), frame, lease);
          await hosts.put(Buffer.from(frame).toString("latin1").slice(0, 200), frame, lease);
        };
      }
    },
    [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose](),
    ...more,
  };
}

/** Fixture with an etcd of its own, which is killed and restarted. */
async function mortalFixture(): Promise<Fixture> {
  const server = await EtcdServer.start();
  const fixture = await clusterFixture(server, 1_200, {
    fail: () => server.kill(),
    restore: () => server.start(),
  });
  return {
    ...fixture,
    async [Symbol.asyncDispose]() {
      await fixture[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

function validValues(hosts: PlainAnnouncer): Uint8Array[] {
  const host = hosts.newHost();
  const node = { id: host.id, port: 8_000, info: "valid" };
  return [Buffer.from(host.valueOf(node, hosts.cluster))];
}

/** Rules that kill the server. */
const mortal = /^(failure|no-goodbye|rejections):/;
const skip = { "name-conflict": "announcements are told apart by their keys; names may repeat" };

/** Rules that count waiting reports, which repetitions would add to. */
const counting = /^(capacity|slow-consumer):/;

for (const { ttlMs, isMeant } of [
  { ttlMs: 1_200, isMeant: (name: string) => !counting.test(name) && !mortal.test(name) },
  { ttlMs: 60_000, isMeant: (name: string) => counting.test(name) },
]) {
  describeEtcd(`etcd, browsed with ${ttlMs} ms`, {}, () => {
    let server: EtcdServer;
    beforeAll(async () => {
      server = await EtcdServer.start();
    });
    afterAll(() => server[Symbol.asyncDispose]());

    const register = (name: string, run: () => Promise<void>): void => {
      if (isMeant(name)) test(name, { concurrent: patient.test(name) }, run);
    };
    transportConformance(register, {
      create: () => clusterFixture(server, ttlMs),
      announces: true,
      reconfirms: false,
      skip,
    });
  });
}

describeEtcd("an etcd that dies", { concurrent: true }, () => {
  const register = (name: string, run: () => Promise<void>): void => {
    if (mortal.test(name)) test(name, run);
  };
  transportConformance(register, { create: mortalFixture, announces: true, reconfirms: false, skip });
});
