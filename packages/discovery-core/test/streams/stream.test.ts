import { getEventListeners } from "node:events";
import { beforeEach, describe, expect, test } from "vitest";
import { observationStream } from "../../src/authors.ts";
import { type Sink, Stream } from "../../src/streams/stream.ts";
import { alive, gone } from "../observations.ts";

let aborting: AbortController;
let closing: AbortController;
let stops: number;
let sinks: Sink<string>[];
let stream: Stream<string>;

beforeEach(() => {
  aborting = new AbortController();
  closing = new AbortController();
  stops = 0;
  sinks = [];
  stream = new Stream({
    signal: aborting.signal,
    closed: closing.signal,
    start(sink) {
      sinks.push(sink);
      return () => {
        stops += 1;
      };
    },
    enqueue: (waiting, item) => waiting.set(item, item),
  });
});

function push(...items: string[]): void {
  for (const sink of sinks) for (const item of items) sink.push(item);
}

function listeners(): number {
  return [aborting, closing].flatMap(({ signal }) => getEventListeners(signal, "abort")).length;
}

const done = { done: true, value: undefined };
const reason = { why: "the caller's own reason" };

describe("a stream", () => {
  test("starts at the first look, once", async () => {
    expect(sinks).toHaveLength(0);
    const steps = [stream.next(), stream.next()];
    expect(sinks).toHaveLength(1);
    push("a", "b");
    expect(await Promise.all(steps)).toEqual([
      { done: false, value: "a" },
      { done: false, value: "b" },
    ]);
  });

  test("keeps for a slow consumer what it is told to keep", async () => {
    const first = stream.next();
    push("a", "b", "b", "c");
    sinks[0]?.end();
    const rest: string[] = [];
    for await (const item of stream) rest.push(item);
    expect([await first, rest]).toEqual([{ done: false, value: "a" }, ["b", "c"]]);
  });

  test("that cannot start fails, and leaves nothing behind", async () => {
    const failing = new Stream({
      signal: aborting.signal,
      closed: closing.signal,
      start() {
        throw reason;
      },
      enqueue: () => {},
    });
    await expect(failing.next()).rejects.toBe(reason);
    expect([await failing.next(), listeners()]).toEqual([done, 0]);
  });
});

describe("a stream that is over", () => {
  const endings: Record<string, () => unknown> = {
    "by `break`": () => stream.return(),
    "by abort": () => aborting.abort(reason),
    "by disposal of its owner": () => closing.abort(),
    "by its producer": () => sinks[0]?.end(),
    "by a failure of its producer": () => sinks[0]?.fail(reason),
  };

  test.each(Object.entries(endings))("%s, is over for good", async (_, end) => {
    const pending = [stream.next(), stream.next()];
    end();
    await Promise.allSettled(pending);
    push("late");
    for (const again of Object.values(endings)) again();
    expect(await stream.next()).toEqual(done);
    expect([stops, listeners()]).toEqual([1, 0]);
  });

  test("by `break`, resolves also who waits, at once", async () => {
    const pending = stream.next();
    expect(await stream.return()).toEqual(done);
    expect(await pending).toEqual(done);
  });

  test("by abort, rejects with the very reason, once, and drops what waited", async () => {
    const first = stream.next();
    push("a", "b");
    await first;
    aborting.abort(reason);
    await expect(stream.next()).rejects.toBe(reason);
    expect(await stream.next()).toEqual(done);
  });

  test("by an abort before the first look, never starts", async () => {
    aborting.abort(reason);
    await expect(stream.next()).rejects.toBe(reason);
    expect([sinks.length, listeners()]).toEqual([0, 0]);
  });

  test("by a disposal before the first look, never starts", async () => {
    closing.abort();
    expect(await stream.next()).toEqual(done);
    expect(sinks).toHaveLength(0);
  });

  test("by disposal, ends without error", async () => {
    const pending = stream.next();
    closing.abort();
    expect(await pending).toEqual(done);
  });

  test("by a failure, gives what came before and then the failure", async () => {
    const first = stream.next();
    push("a", "b");
    sinks[0]?.fail(reason);
    expect([await first, await stream.next()]).toEqual([
      { done: false, value: "a" },
      { done: false, value: "b" },
    ]);
    await expect(stream.next()).rejects.toBe(reason);
  });
});

test("observations of one key replace each other while nobody looks", async () => {
  const observations = observationStream({
    signal: aborting.signal,
    closed: closing.signal,
    start(sink) {
      const old = alive({ info: "old" });
      for (const it of [old, alive({ key: "other" }), alive({ info: "new" }), alive({ key: "other" })])
        sink.push(it);
      sink.push(gone({ key: "other" }));
      sink.push({ kind: "settled", via: "mdns" });
      sink.end();
      return () => {};
    },
  });
  const seen: unknown[] = [];
  for await (const observation of observations) seen.push(observation);
  expect(seen).toEqual([alive({ info: "new" }), gone({ key: "other" }), { kind: "settled", via: "mdns" }]);
});
