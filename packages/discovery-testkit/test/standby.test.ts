import { createDiscovery, DiscoveryError, type LogLevel } from "@lmserv/discovery-core";
import { type StandbyOptions, standby, supervise, type Transport } from "@lmserv/discovery-core/transport";
import { memory } from "@lmserv/discovery-testkit";
import { beforeEach, describe, expect, test } from "vitest";
import { Bench, gpuBox, idleSession, laptop, never, query } from "./bench.ts";

const afterMs = 3_000;
let bench: Bench;
let first: Transport;
let second: Transport;
let said: string[];

beforeEach(() => {
  bench = new Bench();
  first = memory({ network: bench.left, name: "first" });
  second = memory({ network: bench.right, name: "second", announces: false });
  said = [];
});

/** Opens and browses a standby. */
async function start(options: StandbyOptions = { afterMs }) {
  const log = (level: LogLevel, message: string) => void said.push(`${level} ${message}`);
  const transport = standby(first, second, options);
  const session = await transport.open({ ...bench.context, log }, { signal: never });
  return { session, watch: bench.watch(session, new AbortController().signal) };
}

describe("options", () => {
  test.each([-1, Number.NaN, 86_400_001])("afterMs %d is refused", (afterMs) => {
    expect(() => standby(first, second, { afterMs })).toThrow(
      new RangeError(`standby: afterMs must be a number from 0 to 86400000, and is ${afterMs}`),
    );
  });

  test("two of one name are a mistake, also within a composition", () => {
    expect(() => standby(first, first)).toThrow(/two transports are named "first"/);
    expect(() => standby(standby(first, second), second)).toThrow(/two transports are named "second"/);
  });
});

describe("the second", () => {
  test("is left alone until the first was silent for so long, and says why", async () => {
    const { watch } = await start();
    await bench.clock.advance(afterMs - 1);
    expect(bench.right.sent).toBe(0);
    bench.right.appear(gpuBox);
    await bench.clock.advance(1);
    expect(bench.right.sent).toBe(1);
    expect(watch.reportsOf(gpuBox).map(({ via }) => via)).toEqual(["second"]);
    expect(said).toEqual(["info second waits: first has 3000 ms to hear another host"]);
    expect(bench.reports).toMatchObject([
      { code: "STANDBY_RUNS", via: "second", message: "second runs: first heard no other host for 3000 ms" },
    ]);
  });

  test("never runs while the first hears another host", async () => {
    bench.left.appear(gpuBox);
    const { watch } = await start();
    await bench.clock.advance(600_000);
    expect(bench.right.sent).toBe(0);
    expect(watch.seen.filter(({ kind }) => kind === "settled").map(({ via }) => via)).toEqual(
      expect.arrayContaining(["first", "second"]),
    );
    expect(said.at(-1)).toBe("info second waits: first hears other hosts");
  });

  test("is reported once for all browses, and anew after the first heard somebody", async () => {
    const { session } = await start();
    await bench.clock.advance(afterMs);
    bench.watch(session);
    await bench.clock.advance(afterMs);
    expect(bench.right.sent).toBe(2);
    expect(bench.told).toEqual(["STANDBY_RUNS second"]);
    expect(said.at(-1)).toBe("info second runs: first heard no other host for 3000 ms");
    bench.left.appear(gpuBox);
    await bench.clock.advance(0);
    bench.left.vanish(gpuBox.id);
    await bench.clock.advance(afterMs);
    expect(bench.told).toEqual(["STANDBY_RUNS second", "STANDBY_RUNS second"]);
  });

  test("stops when the first hears somebody", async () => {
    const { watch } = await start();
    await bench.clock.advance(afterMs);
    bench.left.appear(gpuBox);
    await bench.clock.advance(0);
    const { sent } = bench.right;
    bench.right.appear(laptop);
    await bench.clock.advance(600_000);
    expect(bench.right.sent).toBe(sent);
    expect(watch.sees(laptop)).toBe(false);
  });

  test("runs again when the last that the first heard has run out", async () => {
    bench.left.appear(gpuBox);
    bench.left.appear(laptop);
    await start();
    await bench.clock.advance(10_000);
    bench.left.silence(gpuBox.id);
    await bench.clock.advance(300_000);
    expect(bench.right.sent).toBe(0);
    bench.left.silence(laptop.id);
    await bench.clock.advance(60_000 + afterMs);
    expect(bench.right.sent).toBeGreaterThan(0);
  });

  test("runs again when the last that the first heard said goodbye, and settles no second time", async () => {
    bench.left.appear(gpuBox);
    const { watch } = await start();
    await bench.clock.advance(10_000);
    bench.left.vanish(gpuBox.id);
    await bench.clock.advance(afterMs - 1);
    expect(bench.right.sent).toBe(0);
    await bench.clock.advance(1_001);
    expect(bench.right.sent).toBe(1);
    expect(watch.seen.filter(({ kind, via }) => kind === "settled" && via === "second")).toHaveLength(1);
  });

  test("is not put off by what this process announces", async () => {
    const { session, watch } = await start();
    const registration = await session.announce?.(gpuBox, { signal: never });
    await bench.clock.advance(afterMs);
    expect(watch.sees(gpuBox)).toBe(true);
    expect(bench.right.sent).toBe(1);
    await registration?.[Symbol.asyncDispose]();
    bench.left.appear(gpuBox);
    await bench.clock.advance(0);
    expect(said.at(-1)).toBe("info second waits: first hears other hosts");
  });

  test("is put off by a node again that could not be announced", async () => {
    const transport = first;
    first = {
      name: transport.name,
      async open(...args) {
        const session = await transport.open(...args);
        return { ...session, announce: () => Promise.reject(new DiscoveryError("SEND_FAILED", "full")) };
      },
    };
    const { session } = await start();
    await expect(session.announce?.(gpuBox, { signal: never })).rejects.toMatchObject({
      code: "SEND_FAILED",
    });
    bench.left.appear(gpuBox);
    await bench.clock.advance(2 * afterMs);
    expect(bench.right.sent).toBe(0);
  });

  test("stops when the browse ends", async () => {
    const ending = new AbortController();
    const { session } = await start();
    bench.watch(session, ending.signal);
    await bench.clock.advance(afterMs);
    ending.abort();
    await bench.clock.advance(0);
    const { sent } = bench.right;
    await bench.clock.advance(30_000);
    expect(bench.right.sent).toBe(sent + 1);
  });

  test("is not put off by what this machine announces", async () => {
    bench.left.appear(laptop);
    await start({ afterMs, isLocal: ({ info }) => info === laptop.info });
    await bench.clock.advance(afterMs);
    expect(bench.right.sent).toBe(1);
  });
});

describe("failures", () => {
  test("of the first: the second runs at once", async () => {
    bench.left.appear(gpuBox);
    const { watch } = await start();
    await bench.clock.advance(0);
    bench.left.fail();
    await bench.clock.advance(0);
    expect(bench.right.sent).toBe(1);
    expect(bench.reports.at(-1)?.message).toBe("second runs: first failed");
    expect(watch.ending.kind).toBe("running");
    expect(bench.told).toEqual(["TRANSPORT_FAILED first", "STANDBY_RUNS second"]);
  });

  test("of the first leave a second alone that runs already", async () => {
    await start();
    await bench.clock.advance(afterMs);
    bench.left.fail();
    await bench.clock.advance(0);
    expect(bench.right.sent).toBe(1);
    expect(said).toHaveLength(1);
    expect(bench.told).toEqual(["STANDBY_RUNS second", "TRANSPORT_FAILED first"]);
  });

  test("of both are the end", async () => {
    const { watch } = await start();
    await bench.clock.advance(afterMs);
    bench.right.fail();
    await bench.clock.advance(0);
    expect(watch.ending.kind).toBe("running");
    bench.left.fail();
    await bench.clock.advance(0);
    expect(watch.ending).toMatchObject({
      kind: "threw",
      error: { errors: [{ via: "second" }, { via: "first" }] },
    });
  });

  test("of the first to open leave the second, and the other way round", async () => {
    bench.left.refuse("NO_INTERFACE");
    const { watch } = await start();
    await bench.clock.advance(0);
    expect(bench.right.sent).toBe(1);
    bench.left.restore();
    bench.right.refuse("PERMISSION_DENIED");
    bench.left.appear(gpuBox);
    const other = await start();
    await bench.clock.advance(0);
    expect(other.watch.sees(gpuBox)).toBe(true);
    expect(watch.ending.kind).toBe("running");
    expect(bench.told).toEqual(["NO_INTERFACE first", "PERMISSION_DENIED second"]);
  });

  test("of a supervised first are made good, and the second waits again", async () => {
    first = supervise(first);
    await start();
    bench.left.fail();
    await bench.clock.advance(afterMs);
    expect(bench.right.sent).toBe(1);
    bench.left.restore();
    bench.left.appear(gpuBox);
    await bench.clock.advance(10_000);
    expect(said.at(-1)).toBe("info second waits: first hears other hosts");
  });
});

test("disposal closes both", async () => {
  const closed: string[] = [];
  const closing = (name: string): Transport => ({
    name,
    open: async () => idleSession({ [Symbol.asyncDispose]: async () => void closed.push(name) }),
  });
  [first, second] = [closing("first"), closing("second")];
  const { session } = await start();
  await session[Symbol.asyncDispose]();
  expect(closed).toEqual(["first", "second"]);
});

test("each browse has a wait of its own", async () => {
  const { session } = await start();
  await bench.clock.advance(afterMs - 1);
  const late = session.browse(query, { signal: never })[Symbol.asyncIterator]();
  late.next().catch(() => {});
  await bench.clock.advance(1);
  expect(bench.right.sent).toBe(1);
  await bench.clock.advance(afterMs);
  expect(bench.right.sent).toBe(2);
});

test("a discovery tells how each of the two fares", async () => {
  const transports = [standby(first, second, { afterMs })];
  await using discovery = await createDiscovery({ transports, clock: bench.clock });
  discovery.registry.listAlive();
  await bench.clock.advance(afterMs - 1);
  expect(discovery.transports).toEqual([
    { name: "first", settled: true, error: null, lost: null },
    { name: "second", settled: false, error: null, lost: null },
  ]);
  bench.left.appear(gpuBox);
  await bench.clock.advance(0);
  expect(discovery.transports.map(({ settled }) => settled)).toEqual([true, true]);
});
