import { silentLog, supervise } from "@lmserv/discovery-core/transport";
import {
  type Fixture,
  hostileFrames,
  seededRandom,
  transportConformance,
  VirtualClock,
} from "@lmserv/discovery-testkit";
import dnsPacket, { type Answer, type Packet } from "dns-packet";
import { describe, test } from "vitest";
import { mdnsOn } from "../src/transport.ts";
import { Segment } from "./segment.ts";

const type = "_lmserv._tcp.local";
const maxInstances = 40;

function recordsOf(port: number, id: string, info: string): Answer[] {
  const instance = `node-${port}.${type}`;
  const target = `host-${port}.local`;
  return [
    { type: "PTR", name: type, ttl: 4500, data: instance },
    { type: "SRV", name: instance, ttl: 120, flush: true, data: { port, target } },
    { type: "TXT", name: instance, ttl: 4500, flush: true, data: [`info=${info}`, `id=${id}`, "path=/chat"] },
    { type: "A", name: target, ttl: 120, flush: true, data: addressOf(port) },
  ];
}

function addressOf(port: number): string {
  return `10.0.${(port >> 8) & 0xff}.${port & 0xff}`;
}

/** Hosts of the transport, and others that are a few lines of dns-packet, on one virtual link. */
async function segmentFixture(): Promise<Fixture> {
  const clock = new VirtualClock();
  const segment = new Segment(clock);
  const random = seededRandom(7);
  const strangers = new Map<number, () => void>();
  const hosts: string[] = [];
  return {
    maxNodes: maxInstances,
    transport() {
      const address = `10.0.0.${hosts.length + 1}`;
      hosts.push(address);
      return mdnsOn(segment.machine(address, { prefix: 16 }), { maxInstances });
    },
    context: () => ({ clock, random, log: silentLog, nodes: { listAlive: () => [] }, report: () => {} }),
    async appear({ port, id, info }) {
      strangers.get(port)?.();
      const records = recordsOf(port, id, info);
      const say = (): void => {
        segment.inject({ type: "response", flags: 0x400, answers: records }, addressOf(port));
      };
      const asksForUs = ({ questions = [] }: Packet): boolean =>
        questions.some(({ name }) => records.some((record) => record.name === name));
      const hear = (packet: Packet): void => {
        if (packet.type === "query" && asksForUs(packet)) say();
      };
      strangers.set(port, segment.listen(hear));
      say();
    },
    async disappear({ port }) {
      strangers.get(port)?.();
      strangers.delete(port);
    },
    sent: () => segment.heard.filter(({ from }) => hosts.includes(from.address)).length,
    advance: (ms) => clock.advance(ms),
    *hostile() {
      const valid: Packet[] = [
        { type: "response", flags: 0x400, answers: recordsOf(8000, "stranger", "stranger") },
        { type: "query", questions: [{ name: type, type: "PTR" }] },
      ];
      const frames = valid.map((packet) => dnsPacket.encode(packet));
      for (const frame of hostileFrames(frames, random)) yield () => segment.inject(frame, "10.0.9.9");
    },
    fail: async () => segment.fail(),
    restore: async () => segment.held.clear(),
    async [Symbol.asyncDispose]() {
      for (const leave of strangers.values()) leave();
    },
  };
}

describe("mdns", () => {
  transportConformance(test, { create: segmentFixture, announces: true, reconfirms: true });
});

describe("mdns, supervised", () => {
  const create = async (): Promise<Fixture> => {
    const fixture = await segmentFixture();
    return { ...fixture, transport: () => supervise(fixture.transport()) };
  };
  transportConformance(test, { create, announces: true, reconfirms: true, supervised: true });
});
