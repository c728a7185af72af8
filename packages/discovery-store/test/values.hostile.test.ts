import { VirtualClock } from "@lmserv/discovery-testkit";
import { hostileText, readsHostile } from "@lmserv/test-hostile";
import fc, { type Arbitrary } from "fast-check";
import { MemoryStore } from "./memory-store.ts";
import { PlainHost } from "./plain-host.ts";
import { openSite } from "./site.ts";

/** Insiders: their values are validly signed, whatever the content. */
const hosts = Array.from({ length: 4 }, () => new PlainHost());
const maxNodes = 32;
/** Timers of the nodes, one deadline per source, and of the session, the registry and its streams. */
const maxTimers = 16;

const dayMs = 86_400_000;
/** Signing times of right clocks, of clocks days behind or ahead, and none. */
const signedAt = fc.constantFrom(
  ...[0, -2 * dayMs, 2 * dayMs].map((ms) => new VirtualClock().wall() + ms),
  undefined,
);

const ids = fc.nat(60).map((index) => `node-${index}`);

/** Event of the store. */
type Act = (store: MemoryStore) => void;

/** Value that a writer puts under a key of its own. */
const put: Arbitrary<readonly [string, string]> = fc
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
    return fc.tuple(keys, value);
  });
const act: Arbitrary<Act> = fc.oneof(
  {
    weight: 20,
    arbitrary: put.map(
      (one): Act =>
        (store) =>
          store.put(...one),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(put, fc.boolean()).map(
      ([[key], wasRemoved]): Act =>
        (store) =>
          store.delete(key, wasRemoved),
    ),
  },
  { weight: 1, arbitrary: fc.constant<Act>((store) => store.lose()) },
  {
    weight: 1,
    arbitrary: fc.array(put, { maxLength: 5 }).map(
      (all): Act =>
        (store) => {
          store.kept.clear();
          for (const [key, value] of all) store.kept.set(key, value);
          store.reread();
        },
    ),
  },
);

readsHostile("values of a store", {
  inputs: act,
  maxKept: maxNodes + maxTimers,
  open: async () => {
    const clock = new VirtualClock();
    const store = new MemoryStore();
    const discovery = await openSite(store, clock, { maxNodes });
    return {
      kept: () => discovery.registry.listAlive().length + clock.pending,
      read: async (one) => {
        one(store);
        await clock.advance(100);
      },
      close: async () => discovery[Symbol.asyncDispose](),
    };
  },
});
