import type { ResolvedAnnouncement } from "@lmserv/discovery-core/transport";
import { hostileFrames, memory, seededRandom } from "@lmserv/discovery-testkit";
import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { decodeFrame, encodeFrame, type Frame, maxFrameBytes, presenceOf } from "../src/memory-frame.ts";
import { Bench, gpuBox, laptop, never } from "./bench.ts";

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});

const host = (options = {}) => bench.open(memory({ network: bench.left, ...options }));

describe("a node that the network plays", () => {
  test("is reported as it describes itself, from its own address", async () => {
    const watch = bench.watch(await host());
    await bench.clock.advance(0);
    const key = bench.left.appear({ ...gpuBox, models: ["llama"], auth: "required" }, 5_000);
    await bench.clock.advance(0);
    const [address = ""] = key.split("/");
    expect(watch.reportsOf(gpuBox)).toEqual([
      {
        kind: "alive",
        via: "memory",
        key,
        origin: address,
        heardMs: 0,
        ttlMs: 5_000,
        node: {
          id: "gpu-box",
          trust: "announced",
          port: 8000,
          scheme: "http",
          info: "gpu-box-01",
          addresses: [{ address, reach: "source" }],
          hostname: null,
          path: null,
          server: null,
          apis: [],
          models: ["llama"],
          auth: "required",
          attributes: {},
        },
      },
    ]);
  });

  test("keeps its key when it changes", () => {
    const key = bench.left.appear(gpuBox);
    expect(bench.left.appear({ ...gpuBox, info: "moved" })).toBe(key);
    expect(bench.left.appear(laptop)).not.toBe(key);
  });

  test("says goodbye when it vanishes, and nothing when it is silenced", async () => {
    const watch = bench.watch(await host());
    await bench.clock.advance(0);
    bench.left.appear(gpuBox);
    bench.left.appear(laptop);
    await bench.clock.advance(0);
    bench.left.vanish(gpuBox.id);
    bench.left.silence(laptop.id);
    await bench.clock.advance(60_000);
    expect(watch.lost(gpuBox, "goodbye")).toBe(true);
    expect(watch.seen.filter(({ kind }) => kind === "gone")).toHaveLength(1);
    expect(watch.countHeld(bench.clock.now())).toBe(0);
  });

  test("is confirmed at the pace of the shortest time that is reported", async () => {
    const watch = bench.watch(await host());
    await bench.clock.advance(0);
    bench.left.appear(gpuBox, 4_000);
    await bench.clock.advance(3_999);
    expect(watch.countHeld(bench.clock.now())).toBe(1);
    await bench.clock.advance(60_000);
    expect(watch.countHeld(bench.clock.now())).toBe(1);
  });

  test("must have appeared before it vanishes", () => {
    expect(() => bench.left.vanish("nobody")).toThrow(/no node with the id "nobody"/);
  });
});

describe("a session", () => {
  test("cannot be spoken for by another host", async () => {
    const watch = bench.watch(await host());
    await bench.clock.advance(0);
    bench.left.appear(gpuBox);
    bench.left.inject(encodeFrame({ kind: "goodbye", id: gpuBox.id }), "198.18.99.99");
    await bench.clock.advance(0);
    expect(watch.sees(gpuBox)).toBe(true);
    expect(watch.seen.filter(({ kind }) => kind === "gone")).toEqual([]);
  });

  test("takes sixteen nodes of one host, so that it cannot crowd out others", async () => {
    const watch = bench.watch(await host());
    await bench.clock.advance(0);
    for (let count = 0; count < 100; count += 1) {
      const flood = presenceOf({ id: `flood-${count}`, port: 9_000, info: "" }, 60_000);
      bench.left.inject(encodeFrame(flood), "198.18.99.99");
    }
    bench.left.appear(gpuBox);
    await bench.clock.advance(0);
    expect(watch.sees(gpuBox)).toBe(true);
    expect(watch.countHeld(bench.clock.now())).toBe(17);
  });

  test("has room again when nodes have run out", async () => {
    const watch = bench.watch(await host({ maxNodes: 1 }));
    await bench.clock.advance(0);
    bench.left.appear(gpuBox, 5_000);
    bench.left.appear(laptop, 5_000);
    bench.left.silence(gpuBox.id);
    await bench.clock.advance(30_000);
    expect(watch.sees(laptop)).toBe(true);
  });

  test("takes the next free name where the chosen one is taken, and says so", async () => {
    bench.left.appear({ ...laptop, name: "box" });
    const session = await host();
    const announce = (node: ResolvedAnnouncement) =>
      session.announce?.({ ...node, name: "box" }, { signal: never });
    await announce(gpuBox);
    const handle = await announce({ ...gpuBox, id: "another" });
    const messages = [2, 3].map((count) => `the name "box" is taken; announced as "box (${count})"`);
    expect(bench.reports.map(({ message }) => message)).toEqual(messages);
    bench.left.vanish(laptop.id);
    await handle?.[Symbol.asyncDispose]();
    await announce({ ...gpuBox, id: "third" });
    expect(bench.told).toEqual(["NAME_CONFLICT memory", "NAME_CONFLICT memory"]);
  });

  test("replaces what it announced under the same id, and withdraws the latest only", async () => {
    const watch = bench.watch(await host());
    const session = await host();
    const first = await session.announce?.(gpuBox, { signal: never });
    const second = await session.announce?.({ ...gpuBox, info: "moved" }, { signal: never });
    await first?.[Symbol.asyncDispose]();
    await bench.clock.advance(0);
    expect(watch.reportsOf(gpuBox).at(-1)?.node.info).toBe("moved");
    expect(watch.lost(gpuBox, "goodbye")).toBe(false);
    await second?.[Symbol.asyncDispose]();
    await bench.clock.advance(0);
    expect(watch.lost(gpuBox, "goodbye")).toBe(true);
  });

  test("refuses to announce more than a frame holds", async () => {
    const session = await host();
    const attributes = { long: "x".repeat(maxFrameBytes) };
    await expect(session.announce?.({ ...gpuBox, attributes }, { signal: never })).rejects.toThrow(
      RangeError,
    );
    await session[Symbol.asyncDispose]();
  });

  test("of a network that died neither announces nor browses", async () => {
    const session = await host();
    bench.left.fail();
    bench.left.restore();
    await expect(session.announce?.(gpuBox, { signal: never })).rejects.toMatchObject({
      code: "TRANSPORT_FAILED",
    });
    const watch = bench.watch(session);
    await bench.clock.advance(0);
    expect(watch.ending).toMatchObject({ kind: "threw", error: { code: "TRANSPORT_FAILED" } });
    await session[Symbol.asyncDispose]();
    expect(bench.clock.pending).toBe(0);
  });
});

describe("frames", () => {
  const frames: readonly Frame[] = [
    { kind: "query", id: null },
    { kind: "query", id: "gpu-box" },
    { kind: "claim", name: "box" },
    { kind: "goodbye", id: "gpu-box" },
    presenceOf({ ...gpuBox, name: "box", attributes: { __proto__: "no prototype" } }, 60_000),
  ];

  test("survive the way", () => {
    for (const frame of frames) expect(decodeFrame(encodeFrame(frame))).toEqual(frame);
  });

  test("of any bytes decode to a frame that encodes again, or to nothing", () => {
    const decodes = (bytes: Uint8Array): void => {
      const frame = decodeFrame(bytes);
      if (frame) expect(decodeFrame(encodeFrame(frame))).toEqual(frame);
    };
    fc.assert(fc.property(fc.uint8Array(), decodes));
    fc.assert(fc.property(fc.json(), (text) => decodes(new TextEncoder().encode(text))));
    for (const bytes of hostileFrames(frames.map(encodeFrame), seededRandom(7))) decodes(bytes);
  });
});

describe("hostile frames", () => {
  const frame = encodeFrame({ kind: "query", id: null });

  test("are the same for the same seed", () => {
    const make = (seed: number) => [...hostileFrames([frame], seededRandom(seed), 10)];
    expect(make(1)).toEqual(make(1));
    expect(make(1)).not.toEqual(make(2));
  });

  test("are empty, oversized, cut short and garbled, and never what they were made of", () => {
    const made = [...hostileFrames([frame], seededRandom(1))];
    const lengths = made.map(({ length }) => length);
    expect(Math.min(...lengths)).toBe(0);
    expect(Math.max(...lengths)).toBeGreaterThan(65_535);
    const garbled = made.filter(({ length }) => length === frame.length);
    expect(garbled.length).toBeGreaterThanOrEqual(25);
    expect(made).not.toContainEqual(frame);
  });
});
