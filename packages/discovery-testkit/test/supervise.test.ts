import { getEventListeners } from "node:events";
import { DiscoveryError } from "@lmserv/discovery-core";
import {
  supervise,
  type Transport,
  type TransportContext,
  type TransportSession,
} from "@lmserv/discovery-core/transport";
import { memory } from "@lmserv/discovery-testkit";
import { beforeEach, describe, expect, test } from "vitest";
import { Bench, gpuBox, idleSession, laptop, never } from "./bench.ts";

let bench: Bench;
let transport: Transport;
/** Times of attempts to open the transport. */
let openedMs: number[];

const outlasts = ({ code }: DiscoveryError): boolean => code === "NO_INTERFACE";

beforeEach(() => {
  bench = new Bench();
  openedMs = [];
  transport = noting(memory({ network: bench.left }));
});

function noting(inner: Transport): Transport {
  return {
    name: inner.name,
    open(context, options) {
      openedMs.push(bench.clock.now());
      return inner.open(context, options);
    },
  };
}

describe("a transport that dies", () => {
  test("is opened again, and browses go on there", async () => {
    const watch = bench.watch(await bench.open(supervise(transport)));
    await bench.clock.advance(0);
    bench.left.fail();
    bench.left.restore();
    await bench.clock.advance(0);
    expect(bench.told).toEqual(["TRANSPORT_FAILED memory"]);
    bench.left.appear(gpuBox);
    await bench.clock.advance(0);
    expect(watch.sees(gpuBox)).toBe(true);
    expect(watch.ending.kind).toBe("running");
  });

  test("is said to be lost and recovered, before what the next session reports", async () => {
    bench.left.appear(gpuBox);
    const watch = bench.watch(await bench.open(supervise(transport)));
    await bench.clock.advance(100);
    bench.left.fail();
    await bench.clock.advance(20);
    bench.left.restore();
    await bench.clock.advance(2_000);
    expect(watch.seen.map(({ kind }) => kind)).toEqual([
      "alive",
      "settled",
      "lost",
      "recovered",
      "alive",
      "settled",
    ]);
    expect(watch.seen[2]).toMatchObject({ via: "memory", error: { code: "TRANSPORT_FAILED" } });
  });

  test("settles again only when everybody there had the time to come back", async () => {
    const patient: Transport = {
      name: transport.name,
      open: async (...args) => ({ ...(await transport.open(...args)), absenceMs: 10_000 }),
    };
    const session = await bench.open(supervise(patient));
    const watch = bench.watch(session);
    const settledMs = () => watch.seen.filter(({ kind }) => kind === "settled").length;
    await bench.clock.advance(100);
    expect(settledMs()).toBe(1);
    bench.left.fail();
    bench.left.restore();
    await bench.clock.advance(9_999);
    expect(settledMs()).toBe(1);
    await bench.clock.advance(1);
    expect(settledMs()).toBe(2);
    bench.left.fail();
    await session[Symbol.asyncDispose]();
    expect(bench.clock.pending).toBe(0);
  });

  test("misses a node only when that had the time to come back", async () => {
    const patient: Transport = {
      name: transport.name,
      open: async (...args) => ({ ...(await transport.open(...args)), absenceMs: 10_000 }),
    };
    const session = await bench.open(supervise(patient));
    const watch = bench.watch(session);
    bench.left.fail();
    bench.left.restore();
    await bench.clock.advance(0);
    const keys = [gpuBox, laptop].map((node) => bench.left.appear(node));
    for (const { id } of [gpuBox, laptop]) bench.left.silence(id);
    await Promise.all(keys.map((key) => session.reconfirm?.(key, { signal: never })));
    await bench.clock.advance(5_000);
    bench.left.appear(gpuBox);
    await bench.clock.advance(4_999);
    expect(watch.seen.filter(({ kind }) => kind === "gone")).toEqual([]);
    await bench.clock.advance(1);
    expect(watch.lost(laptop, "unreachable")).toBe(true);
    expect(watch.lost(gpuBox, "unreachable")).toBe(false);
  });

  test("does not settle by what a lost session held back", async () => {
    const patient: Transport = {
      name: transport.name,
      open: async (...args) => ({ ...(await transport.open(...args)), absenceMs: 10_000 }),
    };
    const watch = bench.watch(await bench.open(supervise(patient)));
    bench.left.fail();
    bench.left.restore();
    await bench.clock.advance(5_000);
    bench.left.fail();
    await bench.clock.advance(60_000);
    expect(watch.seen.map(({ kind }) => kind)).toEqual(["lost", "recovered", "lost"]);
  });

  test("is opened again only when the dead session gave back what it held", async () => {
    let close = (): void => {};
    const closing = new Promise<void>((resolve) => {
      close = resolve;
    });
    const reports: TransportContext["report"][] = [];
    const slow: Transport = {
      name: "slow",
      async open({ report }) {
        openedMs.push(bench.clock.now());
        reports.push(report);
        return idleSession({ [Symbol.asyncDispose]: () => closing });
      },
    };
    await bench.open(supervise(slow));
    reports[0]?.(new DiscoveryError("TRANSPORT_FAILED", "dead", { via: "slow" }));
    await bench.clock.advance(10_000);
    expect(openedMs).toEqual([0]);
    close();
    await bench.clock.advance(0);
    expect(openedMs).toEqual([0, 10_000]);
  });

  test("is noticed also when nobody browses", async () => {
    await bench.open(supervise(transport));
    bench.left.fail();
    bench.left.restore();
    await bench.clock.advance(250);
    expect(bench.told).toEqual(["TRANSPORT_FAILED memory"]);
    expect(openedMs).toHaveLength(2);
  });

  test("is noticed also when it dies as soon as it is open", async () => {
    let deaths = 1;
    const frail: Transport = {
      name: "frail",
      async open({ report }) {
        openedMs.push(bench.clock.now());
        if (deaths-- > 0) report(new DiscoveryError("TRANSPORT_FAILED", "stillborn", { via: "frail" }));
        return idleSession();
      },
    };
    await bench.open(supervise(frail, { outlasts: () => true }));
    await bench.clock.advance(250);
    expect(bench.told).toEqual(["TRANSPORT_FAILED frail"]);
    expect(openedMs).toHaveLength(2);
  });

  test("is buried once, however many browses it takes along", async () => {
    const session = await bench.open(supervise(transport));
    const watches = [bench.watch(session), bench.watch(session), bench.watch(session)];
    await bench.clock.advance(0);
    bench.left.fail();
    bench.left.restore();
    await bench.clock.advance(250);
    bench.left.appear(gpuBox);
    await bench.clock.advance(0);
    expect(bench.told).toEqual(["TRANSPORT_FAILED memory"]);
    expect(watches.every((watch) => watch.sees(gpuBox))).toBe(true);
  });
});

describe("back-off", () => {
  test("begins with an attempt at once and doubles from 250 ms to 5 s, with jitter", async () => {
    await bench.open(supervise(transport));
    bench.left.fail();
    await bench.clock.advance(20_000);
    const waits = openedMs.slice(1).map((atMs, index) => atMs - (openedMs[index] ?? 0));
    expect(waits.slice(0, 8)).toEqual([0, 125, 250, 500, 1_000, 2_000, 2_500, 2_500]);
  });

  test("reports a loss once, whatever the attempts end with, and a refusal", async () => {
    await bench.open(supervise(transport));
    bench.left.fail();
    await bench.clock.advance(5_000);
    bench.left.refuse("ADDRESS_IN_USE");
    await bench.clock.advance(5_000);
    bench.left.refuse("PERMISSION_DENIED");
    await bench.clock.advance(10_000);
    expect(bench.told).toEqual(["TRANSPORT_FAILED memory", "PERMISSION_DENIED memory"]);
  });

  test("ends with the tenth refusal in a row, for everybody who waits", async () => {
    const session = await bench.open(supervise(transport));
    const watch = bench.watch(session);
    await bench.clock.advance(0);
    bench.left.fail();
    const announcing = session.announce?.(gpuBox, { signal: never });
    const outcome = expect(announcing).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
    bench.left.refuse("PERMISSION_DENIED");
    await bench.clock.advance(60_000);
    await outcome;
    const denied = { kind: "threw", error: { code: "PERMISSION_DENIED" } };
    expect(watch.ending).toMatchObject(denied);
    const attempts = openedMs.length;
    await bench.clock.advance(3_600_000);
    expect(openedMs).toHaveLength(attempts);
    const late = bench.watch(session);
    await bench.clock.advance(0);
    expect(late.ending).toMatchObject(denied);
    await expect(session.announce?.(gpuBox, { signal: never })).rejects.toMatchObject({
      code: "PERMISSION_DENIED",
    });
  });

  test("reports a reason again for as long as it lasts, less and less often", async () => {
    await bench.open(supervise(transport));
    bench.left.fail();
    const [hour, minutes] = [3_600_000, 60_000];
    const told: number[] = [];
    for (let passedMs = 0; passedMs < hour; passedMs += minutes) {
      const before = bench.told.length;
      await bench.clock.advance(minutes);
      told.push(bench.told.length - before);
    }
    // Each is due at the first attempt after its pause; there is one every few seconds.
    const saidAt = told.flatMap((count, minute) => (count > 0 ? [minute] : []));
    expect(saidAt).toEqual([1, 3, 7, 15, 31]);
    expect(new Set(bench.told.slice(1))).toEqual(new Set(["TRANSPORT_UNAVAILABLE memory"]));
  });

  test("goes on where it was when a session is short-lived, and starts anew after a long one", async () => {
    await bench.open(supervise(transport));
    const waitAfterDeath = async (): Promise<number> => {
      const diedMs = bench.clock.now();
      bench.left.fail();
      bench.left.restore();
      await bench.clock.advance(5_000);
      return (openedMs.at(-1) ?? 0) - diedMs;
    };
    expect(await waitAfterDeath()).toBe(0);
    expect(await waitAfterDeath()).toBe(125);
    await bench.clock.advance(60_000);
    expect(await waitAfterDeath()).toBe(0);
  });
});

describe("a transport that cannot be opened at first", () => {
  test("is an error, unless that is to be outlasted", async () => {
    bench.left.refuse("PERMISSION_DENIED");
    const opening = bench.open(supervise(transport, { outlasts }));
    await expect(opening).rejects.toMatchObject({ code: "PERMISSION_DENIED", via: "memory" });
    expect(bench.clock.pending).toBe(0);
  });

  test("is waited for by browses and announcements", async () => {
    bench.left.refuse("NO_INTERFACE");
    const session = await bench.open(supervise(transport, { outlasts }));
    expect(bench.told).toEqual(["NO_INTERFACE memory"]);
    const watch = bench.watch(session);
    const announcing = session.announce?.(gpuBox, { signal: never });
    await bench.clock.advance(10_000);
    bench.left.restore();
    bench.left.appear(laptop);
    await bench.clock.advance(5_000);
    await announcing;
    expect(watch.sees(laptop)).toBe(true);
    expect(watch.sees(gpuBox)).toBe(true);
  });

  test("is not waited for any longer when the announcement is aborted", async () => {
    bench.left.refuse("NO_INTERFACE");
    const session = await bench.open(supervise(transport, { outlasts }));
    const controller = new AbortController();
    const announcing = session.announce?.(gpuBox, { signal: controller.signal });
    const reason = new Error("enough");
    controller.abort(reason);
    await expect(announcing).rejects.toBe(reason);
    expect(getEventListeners(controller.signal, "abort")).toEqual([]);
  });

  test("is waited for again when it dies as soon as it is browsed", async () => {
    let deaths = 1;
    bench.left.refuse("NO_INTERFACE");
    const frail: Transport = {
      name: "frail",
      async open(context, options) {
        const session = await memory({ network: bench.left }).open(context, options);
        const browse: typeof session.browse = (...args) => {
          if (deaths-- > 0) context.report(new DiscoveryError("TRANSPORT_FAILED", "dead", { via: "frail" }));
          return session.browse(...args);
        };
        return { ...session, browse };
      },
    };
    const session = await bench.open(supervise(frail, { outlasts }));
    const watch = bench.watch(session);
    const announcing = session.announce?.(gpuBox, { signal: never });
    bench.left.restore();
    await bench.clock.advance(1_000);
    await announcing;
    expect(watch.sees(gpuBox)).toBe(true);
    expect(bench.told).toEqual(["NO_INTERFACE memory"]);
  });

  test("says so if it turns out not to announce", async () => {
    bench.left.refuse("NO_INTERFACE");
    const mute = memory({ network: bench.left, announces: false });
    const session = await bench.open(supervise(mute, { outlasts }));
    const announcing = session.announce?.(gpuBox, { signal: never });
    const outcome = expect(announcing).rejects.toMatchObject({ code: "TRANSPORT_UNAVAILABLE" });
    bench.left.restore();
    await bench.clock.advance(1_000);
    await outcome;
  });

  test("rejects with the very reason when the opening is aborted", async () => {
    const reason = new Error("enough");
    const opening = bench.open(supervise(transport), AbortSignal.abort(reason));
    await expect(opening).rejects.toBe(reason);
  });
});

describe("closing", () => {
  test("during the back-off leaves nothing", async () => {
    const session = await bench.open(supervise(transport));
    const watch = bench.watch(session);
    await session.announce?.(gpuBox, { signal: never });
    bench.left.fail();
    await bench.clock.advance(0);
    await session[Symbol.asyncDispose]();
    expect(bench.clock.pending).toBe(0);
    bench.left.restore();
    await bench.clock.advance(60_000);
    expect(openedMs).toHaveLength(2);
    expect(watch.ending.kind).toBe("returned");
  });

  test("during an opening closes what that opens", async () => {
    const closed: string[] = [];
    const opened: ((session: TransportSession) => void)[] = [];
    const reports: TransportContext["report"][] = [];
    const slow: Transport = {
      name: "slow",
      open(context) {
        reports.push(context.report);
        return new Promise((resolve) => opened.push(resolve));
      },
    };
    const session = (name: string) =>
      idleSession({ [Symbol.asyncDispose]: async () => void closed.push(name) });
    const opening = bench.open(supervise(slow));
    opened[0]?.(session("first"));
    const supervised = await opening;
    reports[0]?.(new DiscoveryError("TRANSPORT_FAILED", "dead", { via: "slow" }));
    await bench.clock.advance(250);
    const closing = supervised[Symbol.asyncDispose]();
    opened[1]?.(session("second"));
    await closing;
    expect(closed).toEqual(["first", "second"]);
  });

  test("ends an announcement that waits", async () => {
    bench.left.refuse("NO_INTERFACE");
    const session = await bench.open(supervise(transport, { outlasts }));
    const announcing = session.announce?.(gpuBox, { signal: never });
    const outcome = expect(announcing).rejects.toMatchObject({ name: "AbortError" });
    await session[Symbol.asyncDispose]();
    await outcome;
  });
});
