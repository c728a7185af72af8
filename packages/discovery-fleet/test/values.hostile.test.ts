import { createDiscovery, DiscoveryError } from "@lmserv/discovery-core";
import { systemOf, unknownMachine } from "@lmserv/discovery-network";
import { seededRandom, VirtualClock } from "@lmserv/discovery-testkit";
import { hostileText, readsHostile } from "@lmserv/test-hostile";
import fc, { type Arbitrary } from "fast-check";
import type { EngineEvent } from "../src/index.ts";
import { fleetOn } from "../src/transport.ts";
import { MemoryEngine } from "./memory-engine.ts";
import { PlainHost } from "./plain-host.ts";

/** Insiders: what they write is signed, whatever it says. */
const hosts = Array.from({ length: 4 }, () => new PlainHost());
const maxNodes = 32;
/** Of the nodes, each with the deadline of one source; of the session, the registry and its streams. */
const maxTimers = 16;

const dayMs = 86_400_000;
/** By clocks that are right, days behind or ahead, and by announcers that do not say. */
const signedAt = fc.constantFrom(
  ...[0, -2 * dayMs, 2 * dayMs].map((ms) => new VirtualClock().wall() + ms),
  undefined,
);

const ids = fc.nat(60).map((index) => `node-${index}`);

/** A value that somebody who may write to the store puts under a key of its own. */
const put: Arbitrary<EngineEvent> = fc
  .record({ host: fc.constantFrom(...hosts), id: ids, seq: fc.nat(1_000), signedMs: signedAt })
  .chain(({ host, id, seq, signedMs }) => {
    const node = {
      ...{ id, port: 8_000, info: "box", path: "/chat", hostname: "box", server: "vllm" },
      ...{ apis: ["openai"], models: ["a"], attributes: { gpu: "H100" }, auth: "none", scheme: "http" },
    };
    const record = JSON.stringify({
      ...{ kind: "alive", cluster: "default", id: host.id, epoch: 1, seq, ttlMs: 2_000, signedMs },
      ...{
        instance: "00112233445566ff",
        addresses: ["192.0.2.7", "2001:db8::7"],
        urls: ["ws://192.0.2.7:1"],
      },
      nodes: [node],
    });
    const key = host.keyOf({ id, port: 8_000, info: "" });
    const value = fc.oneof(
      { weight: 6, arbitrary: hostileText(fc.constant(record)).map((text) => host.signed(text)) },
      { weight: 2, arbitrary: hostileText(fc.constant(host.signed(record))) },
      { weight: 1, arbitrary: fc.constantFrom("goodbye", "") },
    );
    const keys = fc.oneof({ weight: 9, arbitrary: fc.constant(key) }, hostileText(fc.constant(key)));
    return fc.record({ kind: fc.constant("put" as const), key: keys, value });
  });
const lost = new DiscoveryError("MEDIUM_UNREACHABLE", "gone", { via: "memory" });
const event: Arbitrary<EngineEvent> = fc.oneof(
  { weight: 20, arbitrary: put },
  {
    weight: 2,
    arbitrary: fc.tuple(put, fc.boolean()).map(([one, wasRemoved]) => ({
      kind: "delete" as const,
      key: one.kind === "put" ? one.key : "",
      wasRemoved,
    })),
  },
  { weight: 1, arbitrary: fc.constant({ kind: "lost", error: lost } as const) },
  {
    weight: 1,
    arbitrary: fc
      .array(put, { maxLength: 5 })
      .map((all) => ({ kind: "snapshot", entries: all.filter((one) => one.kind === "put") }) as const),
  },
);

readsHostile("values of a store", {
  inputs: event,
  maxKept: maxNodes + maxTimers,
  open: async () => {
    const clock = new VirtualClock();
    const engine = new MemoryEngine();
    const machine = {
      system: () => systemOf({}),
      hostname: () => "reader",
      mark: () => unknownMachine,
      look: async () => ({ kind: "silent", why: "refused" }) as const,
    };
    const transport = fleetOn(machine, engine, { addresses: ["10.0.0.1"], maxNodes });
    const discovery = await createDiscovery({ transports: [transport], clock, random: seededRandom(1) });
    discovery.registry.listAlive();
    await clock.advance(0);
    return {
      kept: () => discovery.registry.listAlive().length + clock.pending,
      read: async (one) => {
        engine.say(one);
        await clock.advance(100);
      },
      close: async () => discovery[Symbol.asyncDispose](),
    };
  },
});
