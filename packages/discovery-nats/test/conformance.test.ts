import { setTimeout as delay } from "node:timers/promises";
import { type ResolvedAnnouncement, randomHex, silentLog } from "@lmserv/discovery-core/transport";
import {
  type Fixture,
  hostileFrames,
  seededRandom,
  transportConformance,
  VirtualClock,
} from "@lmserv/discovery-testkit";
import { afterAll, beforeAll, describe, test } from "vitest";
import { PlainHost } from "../../discovery-store/test/plain-host.ts";
import { bucketName } from "../src/bucket.ts";
import { nats } from "../src/transport.ts";
import { PlainAnnouncer } from "./plain-announcer.ts";
import { CountingProxy } from "./servers/counting-proxy.ts";
import { describeNats } from "./servers/describe.ts";
import { NatsServer } from "./servers/server.ts";

const maxNodes = 20;
const lifetimeMs = 4_000;
const renewMs = 600;
/** Time of a put: to the server, to its disk, and back, in ms. */
const turnMs = 8;
/** Step in ms: time goes with the server's, or stands still with this process. */
const stepMs = 20;
/** Rules that wait for several lifetimes run side by side; others examine the whole process. */
const patient = /^(settled|repeats|evidence):/;

let shared: NatsServer;

/** Cluster of its own, in which independent hosts announce nodes. */
async function clusterFixture(
  server: NatsServer,
  ttlMs: number,
  more: Partial<Fixture> = {},
): Promise<Fixture> {
  const cluster = randomHex(Math.random, 64);
  const clock = new VirtualClock();
  const proxy = await CountingProxy.open(server.url);
  const others = await PlainAnnouncer.make(server.url, bucketName(cluster), lifetimeMs);
  const hosts = new Map<number, PlainHost>();
  const keyOf = (host: PlainHost, node: ResolvedAnnouncement): string => `n.${host.keyOf(node)}`;
  return {
    maxNodes,
    ttlMs,
    transport: () =>
      nats({ endpoints: [proxy.url], cluster, lifetimeMs, addresses: ["127.0.0.1"], maxNodes }),
    context: () => ({
      clock,
      random: Math.random,
      log: silentLog,
      nodes: { listAlive: () => [] },
      report: () => {},
    }),
    async appear(node) {
      const host = hosts.get(node.port) ?? new PlainHost();
      hosts.set(node.port, host);
      await others.appear(keyOf(host, node), host.valueOf(node, cluster), renewMs);
    },
    async disappear(node) {
      const host = hosts.get(node.port);
      if (host) others.vanish(keyOf(host, node));
    },
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
      for (const frame of hostileFrames(validValues(cluster), seededRandom(7), 5)) {
        const value = frame.subarray(0, maxStored);
        yield () => others.kv.put(`n.${randomHex(Math.random, 64)}`, value).then(() => {});
        yield () => others.kv.put(`n.${keyMadeOf(frame)}`, value).then(() => {});
      }
    },
    async [Symbol.asyncDispose]() {
      await others[Symbol.asyncDispose]();
      await proxy[Symbol.asyncDispose]();
    },
    ...more,
  };
}

/** Fixture with a server of its own, which is killed and restarted. */
async function mortalFixture(): Promise<Fixture> {
  const server = await NatsServer.start();
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

/** Foreign programs made this test's bucket, which admits larger values than ours. */
const maxStored = 60_000;

function validValues(cluster: string): Uint8Array[] {
  const host = new PlainHost();
  return [Buffer.from(host.valueOf({ id: host.id, port: 8_000, info: "valid" }, cluster))];
}

/** Cut to the length of a key. */
function keyMadeOf(frame: Uint8Array): string {
  const text = Buffer.from(frame.subarray(0, 200)).toString("latin1");
  return text.replace(/[^-/=.\w]/g, "-").replace(/^\.|\.(?=\.)|\.$/g, "-") || "-";
}

/** Rules that kill the server. */
const mortal = /^(failure|no-goodbye|rejections):/;
const skip = { "name-conflict": "announcements are told apart by their keys; names may repeat" };

/**
 * Rules that count reports and frames; a busy machine is late with them, and repetitions would be counted
 * too.
 */
const counting = /^(?:slow-consumer|capacity|cold)/;

describeNats("nats", {}, () => {
  beforeAll(async () => {
    shared = await NatsServer.start();
  });
  afterAll(() => shared[Symbol.asyncDispose]());

  describe.each([
    { ttlMs: 1_200, isMeant: (name: string) => !counting.test(name) && !mortal.test(name) },
    { ttlMs: 60_000, isMeant: (name: string) => counting.test(name) },
  ])("browsed with $ttlMs ms", ({ ttlMs, isMeant }) => {
    const register = (name: string, run: () => Promise<void>): void => {
      if (isMeant(name)) test(name, { concurrent: patient.test(name) }, run);
    };
    transportConformance(register, {
      create: () => clusterFixture(shared, ttlMs),
      announces: true,
      reconfirms: false,
      skip,
    });
  });
});

describeNats("a NATS server that dies", { concurrent: true }, () => {
  const register = (name: string, run: () => Promise<void>): void => {
    if (mortal.test(name)) test(name, run);
  };
  transportConformance(register, { create: mortalFixture, announces: true, reconfirms: false, skip });
});
