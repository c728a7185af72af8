import {
  type Fixture,
  hostileFrames,
  seededRandom,
  transportConformance,
  VirtualClock,
} from "@lmserv/discovery-testkit";
import { describe, test } from "vitest";
import { arpOn } from "../src/transport.ts";
import { identification, VirtualLan } from "./virtual-lan.ts";

const documentPort = 8_741;
const maxNodes = 40;

function addressOf(port: number): string {
  return `10.0.${(port >> 8) & 0xff}.${port & 0xff}`;
}

/** Each node is a host of its own that serves a document; the table of each searcher has it. */
async function lanFixture(): Promise<Fixture> {
  const clock = new VirtualClock();
  const lan = new VirtualLan(clock);
  return {
    maxNodes,
    transport: () => arpOn(lan.machine(), { maxNodes, ports: [documentPort] }),
    context: () => lan.context(),
    async appear({ port, id, info }) {
      const address = addressOf(port);
      // A change is noticed at the next question.
      if (lan.hosts.has(address)) await clock.advance(250);
      const host = lan.add(address);
      host.servers.set(documentPort, identification(port, { id, info, document: true }));
    },
    async disappear({ port }) {
      const host = lan.hosts.get(addressOf(port));
      if (host) host.up = false;
    },
    sent: () => lan.looks.length + lan.arpTriggers.length,
    advance: (ms) => clock.advance(ms),
    fail: async () => {
      lan.failure = new Error("the table is gone");
    },
    restore: async () => {
      lan.failure = null;
    },
    *hostile() {
      lan.add("10.0.9.9");
      const [header, row] = lan.tableText().split("\n");
      const frames = [new TextEncoder().encode(row)];
      for (const frame of hostileFrames(frames, seededRandom(7), 4)) {
        yield async () => {
          lan.forged = `${header}\n${new TextDecoder().decode(frame)}`;
          await clock.advance(10_000);
          lan.forged = null;
        };
      }
    },
    async [Symbol.asyncDispose]() {},
  };
}

describe("arp", () => {
  transportConformance(test, {
    create: lanFixture,
    announces: false,
    reconfirms: true,
  });
});
