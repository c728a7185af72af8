import { DiscoveryError } from "@lmserv/discovery-core";
import { compose, type Registration, supervise, type Transport } from "@lmserv/discovery-core/transport";
import { memory } from "@lmserv/discovery-testkit";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { Bench, gpuBox, idleSession, never, query } from "./bench.ts";

let bench: Bench;
let left: Transport;
let right: Transport;

beforeEach(() => {
  bench = new Bench();
  left = memory({ network: bench.left, name: "left" });
  right = memory({ network: bench.right, name: "right" });
});

describe("members", () => {
  test("a composition of one is that one", () => {
    expect(compose([left])).toBe(left);
  });

  test("none is a mistake", () => {
    expect(() => compose([])).toThrow(
      new RangeError("compose: transports must be a list of at least 1, and is []"),
    );
  });

  test("two of one name are a mistake", () => {
    expect(() => compose([left, right, left])).toThrow(/two transports are named "left"/);
  });

  test("may be objects of a class", async () => {
    class Classy implements Transport {
      readonly name = "classy";
      readonly #session = idleSession();
      async open() {
        return this.#session;
      }
    }
    await expect(bench.open(compose([new Classy(), left]))).resolves.toBeDefined();
    expect(bench.told).toEqual([]);
  });
});

describe("opening", () => {
  test("goes on without a member that cannot be opened, and reports it", async () => {
    bench.left.refuse("PERMISSION_DENIED");
    const watch = bench.watch(await bench.open(compose([left, right])));
    bench.right.appear(gpuBox);
    await bench.clock.advance(0);
    expect(watch.sees(gpuBox)).toBe(true);
    expect(bench.told).toEqual(["PERMISSION_DENIED left"]);
  });

  test("fails when no member can be opened", async () => {
    bench.left.refuse("PERMISSION_DENIED");
    bench.right.refuse("NO_INTERFACE");
    const error = await bench.open(compose([left, right])).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(AggregateError);
    expect(error).toMatchObject({
      errors: [
        { code: "PERMISSION_DENIED", via: "left" },
        { code: "NO_INTERFACE", via: "right" },
      ],
    });
    expect(bench.told).toEqual([]);
  });

  test("closes what was opened before it was aborted", async () => {
    const dispose = vi.fn(async () => {
      throw new Error("cannot be closed either");
    });
    const session = idleSession({ [Symbol.asyncDispose]: dispose });
    const quick: Transport = { name: "quick", open: async () => session };
    const slow: Transport = {
      name: "slow",
      open: (_, { signal }) =>
        new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
    };
    const controller = new AbortController();
    const opening = bench.open(compose([quick, slow]), controller.signal);
    const reason = new Error("enough");
    controller.abort(reason);
    await expect(opening).rejects.toBe(reason);
    expect(dispose).toHaveBeenCalledOnce();
  });
});

describe("browsing", () => {
  test("goes on without a member that dies, and reports it once", async () => {
    const watch = bench.watch(await bench.open(compose([left, right])));
    await bench.clock.advance(0);
    bench.left.fail();
    await bench.clock.advance(0);
    bench.right.appear(gpuBox);
    await bench.clock.advance(0);
    expect(watch.sees(gpuBox)).toBe(true);
    expect(watch.ending.kind).toBe("running");
    expect(bench.told).toEqual(["TRANSPORT_FAILED left"]);
  });

  test("fails when the last member dies", async () => {
    const watch = bench.watch(await bench.open(compose([left, right])));
    await bench.clock.advance(0);
    bench.left.fail();
    bench.right.fail();
    await bench.clock.advance(0);
    expect(watch.ending).toMatchObject({
      kind: "threw",
      error: { errors: [{ via: "left" }, { via: "right" }] },
    });
    expect(bench.told).toEqual(["TRANSPORT_FAILED left", "TRANSPORT_FAILED right"]);
  });
});

describe("announcing", () => {
  /** View of another host on both networks. */
  const neighbor = async () => bench.watch(await bench.open(compose([left, right])));

  test("reaches every member that can, until the handle is disposed", async () => {
    const watch = await neighbor();
    const session = await bench.open(compose([left, memory({ network: bench.right, announces: false })]));
    const handle = await session.announce?.(gpuBox, { signal: never });
    await bench.clock.advance(0);
    expect(watch.reportsOf(gpuBox).map(({ via }) => via)).toEqual(["left"]);
    await handle?.[Symbol.asyncDispose]();
    await bench.clock.advance(0);
    expect(watch.lost(gpuBox, "goodbye")).toBe(true);
  });

  /** Member without room for another announcement. */
  const full = (name: string): Transport => ({
    name,
    open: async () =>
      idleSession({
        announce: () => Promise.reject(new DiscoveryError("SEND_FAILED", "full", { via: name })),
      }),
  });

  test("succeeds with one member and reports the others", async () => {
    const watch = await neighbor();
    const session = await bench.open(compose([full("full"), right]));
    await session.announce?.(gpuBox, { signal: never });
    await bench.clock.advance(0);
    expect(watch.reportsOf(gpuBox).map(({ via }) => via)).toEqual(["right"]);
    expect(bench.told).toEqual(["SEND_FAILED full"]);
  });

  test("fails when no member succeeds", async () => {
    const session = await bench.open(compose([full("one"), full("other")]));
    const announcing = session.announce?.(gpuBox, { signal: never });
    await expect(announcing).rejects.toMatchObject({
      errors: [{ code: "SEND_FAILED" }, { code: "SEND_FAILED" }],
    });
    expect(bench.told).toEqual([]);
  });

  test("withdraws also what succeeds after its handle was disposed", async () => {
    const { promise, resolve } = deferred<Registration>();
    const withdraw = vi.fn(async () => {});
    const slow: Transport = { name: "slow", open: async () => idleSession({ announce: () => promise }) };
    const session = await bench.open(compose([left, slow]));
    const handle = await session.announce?.(gpuBox, { signal: never });
    const disposal = handle?.[Symbol.asyncDispose]();
    resolve({ update: async () => {}, [Symbol.asyncDispose]: withdraw });
    await disposal;
    expect(withdraw).toHaveBeenCalledOnce();
  });

  test("gives up a member that is still waiting when the handle is disposed", async () => {
    bench.right.refuse("NO_INTERFACE");
    const waiting = supervise(right, { outlasts: ({ code }) => code === "NO_INTERFACE" });
    const watch = bench.watch(await bench.open(left));
    const session = await bench.open(compose([left, waiting]));
    const handle = await session.announce?.(gpuBox, { signal: never });
    await handle?.[Symbol.asyncDispose]();
    await bench.clock.advance(0);
    expect(watch.lost(gpuBox, "goodbye")).toBe(true);
    bench.right.restore();
    const late = bench.watch(await bench.open(right));
    await bench.clock.advance(60_000);
    expect(late.sees(gpuBox)).toBe(false);
    expect(bench.told).toEqual(["NO_INTERFACE right"]);
  });

  test("rejects with the very reason when it is aborted", async () => {
    const session = await bench.open(compose([left, right]));
    const reason = new Error("enough");
    const announcing = session.announce?.(gpuBox, { signal: AbortSignal.abort(reason) });
    await expect(announcing).rejects.toBe(reason);
  });
});

test("reconfirming asks every member that can be asked", async () => {
  const session = await bench.open(compose([left, memory({ network: bench.right, reconfirms: false })]));
  const watch = bench.watch(session);
  bench.left.appear(gpuBox);
  await bench.clock.advance(0);
  bench.left.silence(gpuBox.id);
  const [seen] = watch.reportsOf(gpuBox);
  await session.reconfirm?.(seen?.key ?? "", { signal: never });
  await bench.clock.advance(1_000);
  expect(watch.lost(gpuBox, "unreachable")).toBe(true);
});

test("disposal closes every member, also when one cannot be closed", async () => {
  const stubborn: Transport = {
    name: "stubborn",
    open: async () =>
      idleSession({
        async [Symbol.asyncDispose]() {
          throw new DiscoveryError("SEND_FAILED", "no goodbye");
        },
      }),
  };
  const session = await bench.open(compose([stubborn, left]));
  const steps = session.browse(query, { signal: never })[Symbol.asyncIterator]();
  const pending = steps.next();
  await expect(session[Symbol.asyncDispose]()).rejects.toMatchObject({ errors: [{ code: "SEND_FAILED" }] });
  await expect(pending).resolves.toMatchObject({ done: true });
  const sent = bench.left.sent;
  bench.left.appear(gpuBox);
  await bench.clock.advance(120_000);
  expect(bench.left.sent).toBe(sent);
  expect(bench.clock.pending).toBe(0);
});

function deferred<T>() {
  let resolve = (_: T): void => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve: (value: T) => resolve(value) };
}
