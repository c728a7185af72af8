import { Server } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { silentLog } from "@lmserv/discovery-core/transport";
import {
  type Fixture,
  hostileFrames,
  seededRandom,
  transportConformance,
  VirtualClock,
} from "@lmserv/discovery-testkit";
import { describe, test, vi } from "vitest";
import { generateKey } from "../src/link/cluster-key.ts";
import { mesh } from "../src/transport.ts";
import { PlainHub } from "./plain-hub.ts";

const maxPeers = 21;
/** A message to another socket of this machine, and back. */
const turnMs = 5;
/** How finely time is cut, so that messages arrive in the time in which they are sent, or in the next. */
const stepMs = 25;

/** Members that dial a plain one; the nodes of independent hosts are those that it speaks for. */
async function hubFixture(): Promise<Fixture> {
  const keys = generateKey();
  // Sockets are real; time goes on only when all of this process does, and stands still with it.
  const clock = new VirtualClock();
  const hub = await PlainHub.open(keys, clock);
  const random = seededRandom(7);
  const listening = vi.spyOn(Server.prototype, "listen");
  return {
    maxNodes: maxPeers - 1,
    ttlMs: hub.ttlMs,
    transport: () =>
      mesh({
        cluster: "conformance",
        keys,
        seeds: [hub.url],
        listen: [{ host: "127.0.0.1", port: 0 }],
        maxPeers,
      }),
    context: () => ({
      clock,
      random: Math.random,
      log: silentLog,
      nodes: { listAlive: () => [] },
      report: () => {},
    }),
    appear: async (node) => hub.appear(node),
    disappear: async ({ port }) => hub.disappear(port),
    sent: () => hub.frames,
    async advance(ms) {
      for (let leftMs = ms; leftMs > 0; leftMs -= stepMs) {
        await clock.advance(Math.min(leftMs, stepMs));
        await delay(turnMs);
      }
      if (ms === 0) {
        await delay(turnMs);
        await clock.advance(0);
      }
    },
    // A connection takes several turns, however short each is on the virtual clock.
    patienceMs: 120_000,
    *hostile() {
      for (const frame of hostileFrames(decentFrames(), random)) {
        yield () => hub.say(Buffer.from(frame).toString("latin1"));
      }
    },
    async fail() {
      for (const server of listening.mock.contexts as readonly Server[]) server.close();
    },
    // The next session listens anew.
    restore: async () => {},
    async [Symbol.asyncDispose]() {
      listening.mockRestore();
      await hub[Symbol.asyncDispose]();
    },
  };
}

/** What members say to each other, in a form that could be meant. */
function decentFrames(): Uint8Array[] {
  const id = "0".repeat(32);
  const signed = { text: "{}", publicKey: "A".repeat(43), signature: "A".repeat(86) };
  const messages = [
    { type: "digest", entries: [[id, 1, 1, 1]], whole: true, answer: true },
    { type: "record", signed, hops: 0, ageMs: 0 },
    { type: "renewal", signed, hops: 1, ageMs: 5 },
    { type: "relay", ids: [id] },
    { type: "vouching", ids: [id] },
    { type: "lost", ids: [id] },
  ];
  return messages.map((message) => Buffer.from(JSON.stringify(message)));
}

describe("mesh", () => {
  transportConformance(test, {
    create: hubFixture,
    announces: true,
    reconfirms: false,
    skip: { "name-conflict": "members are told apart by their keys; names may repeat" },
  });
});
