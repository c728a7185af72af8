import { connect } from "node:net";
import { DiscoveryError } from "@lmserv/discovery-core";
import { VirtualClock } from "@lmserv/discovery-testkit";
import { describe, expect, test } from "vitest";
import { EventLog } from "../src/surface/event-log.ts";
import { type EventSource, eventSource, type StreamEvent } from "./event-source.ts";
import { site } from "./site.ts";

const lan = site();
const beatMs = 15_000;

async function listen(port: number, lastId: string | null = null): Promise<EventSource> {
  return lan.keep(await eventSource(port, lastId === null ? {} : { "last-event-id": lastId }));
}

function told({ event, line }: StreamEvent): string {
  return "node" in line ? `${line.type} ${line.node.id}` : event;
}

describe("a stream of events", () => {
  test("begins with the whole list and goes on with each change", async () => {
    await lan.near.list({ id: "a", port: 1 }, { id: "b", port: 2 });
    const { port } = await lan.open();
    const { response, take } = await listen(port);
    expect(response.headers).toMatchObject({
      "content-type": "text/event-stream",
      "cache-control": "no-cache",
      "x-accel-buffering": "no",
    });
    expect((await take(3)).map(told)).toEqual(["reset", "up a", "up b"]);
    await lan.near.list({ id: "c", port: 3 });
    await lan.near.lose("a", "goodbye");
    const events = await take(2);
    expect(events.map(told)).toEqual(["up c", "down a"]);
    expect(events[1]?.line).toMatchObject({ type: "down", reason: "goodbye" });
  });

  test("goes on where it was cut off, without loss or repetition", async () => {
    const { port } = await lan.open();
    const first = await listen(port);
    await lan.near.list({ id: "a", port: 1 }, { id: "b", port: 2 });
    const [, , last] = await first.take(3);
    await first[Symbol.asyncDispose]();
    await lan.near.list({ id: "c", port: 3 });
    await lan.near.lose("a", "unreachable");
    const second = await listen(port, last?.id ?? "");
    expect((await second.take(2)).map(told)).toEqual(["up c", "down a"]);
    await lan.near.list({ id: "d", port: 4 });
    expect(told(await second.next())).toBe("up d");
  });

  test("that has missed nothing begins at once, with nothing", async () => {
    const { port } = await lan.open();
    const first = await listen(port);
    await lan.near.list({ id: "a", port: 1 });
    const [, last] = await first.take(2);
    const second = await listen(port, last?.id ?? "");
    await lan.near.list({ id: "b", port: 2 });
    expect(told(await second.next())).toBe("up b");
  });

  test.each(["", "x", "another-1", "-1", "0-99999999999999999999"])(
    "after %j, which this process never sent, begins anew",
    async (lastId) => {
      await lan.near.list({ id: "a", port: 1 });
      const { port } = await lan.open();
      expect((await (await listen(port, lastId)).take(2)).map(told)).toEqual(["reset", "up a"]);
    },
  );

  test("that broke off within the list begins anew", async () => {
    await lan.near.list({ id: "a", port: 1 }, { id: "b", port: 2 });
    const { port } = await lan.open();
    const [reset, up, last] = await (await listen(port)).take(3);
    expect([reset?.id, up?.id]).toEqual(["", null]);
    expect(last?.id).toMatch(/^[0-9a-z]+-2$/);
  });

  test("tells of transports, and at its beginning of those that are lost", async () => {
    const { port, gateway } = await lan.open();
    const lost = new DiscoveryError("TRANSPORT_FAILED", "the cable is out", { via: "mdns" });
    const first = await listen(port);
    await first.next();
    gateway.transportChanged({ name: "mdns", settled: true, error: lost, lost });
    gateway.warn(lost);
    const line = { code: "TRANSPORT_FAILED", transport: "mdns", message: "the cable is out" };
    expect((await first.take(2)).map((event) => event.line)).toEqual([
      { type: "lost", ...line },
      { type: "warning", ...line },
    ]);
    const second = await listen(port);
    expect((await second.take(2)).map(({ line: { type } }) => type)).toEqual(["version", "lost"]);
    gateway.transportChanged({ name: "mdns", settled: true, error: lost, lost: null });
    expect((await second.next()).line).toEqual({ type: "recovered", transport: "mdns" });
    const third = await listen(port);
    expect((await third.next()).id).not.toBe("");
  });

  test("shows every 15 s that it lives, and one that is not read ends after two of these", async () => {
    const clock = new VirtualClock();
    const { port, connections } = await lan.open({ clock });
    const reading = await listen(port);
    const stalled = connect(port, "127.0.0.1").on("error", () => {});
    stalled.pause().write("GET /lmserv/events HTTP/1.1\r\nhost: localhost\r\n\r\n");
    await reading.next();
    // Sooner or later no buffer of the system takes more.
    const models = Array.from({ length: 1_000 }, (_, index) => `${"m".repeat(60)}${index}`);
    for (let change = 0; change < 10 || ((await connections()) === 2 && change < 1_000); change += 1) {
      await lan.near.list({ id: "a", port: 1, models: [...models, `${change}`] });
      await reading.next();
      await clock.advance(beatMs / 10);
    }
    expect(await connections()).toBe(1);
    stalled.destroy();
    await lan.near.lose("a", "goodbye");
    expect(told(await reading.next())).toBe("down a");
  });

  test("is open to a hundred readers at once, of whom one does not read and one is cut off", async () => {
    const { port, send } = await lan.open();
    const stalled = connect(port, "127.0.0.1").on("error", () => {});
    stalled.pause().write("GET /lmserv/events HTTP/1.1\r\nhost: localhost\r\n\r\n");
    const readers = await Promise.all(Array.from({ length: 98 }, () => listen(port)));
    const cut = await listen(port);
    expect(await send({ path: "/lmserv/events" })).toMatchObject({
      status: 503,
      headers: { "retry-after": "5", "content-type": "application/json" },
    });
    for (const { take } of [...readers, cut]) expect((await take(1)).map(told)).toEqual(["reset"]);
    const numbers = Array.from({ length: 40 }, (_, index) => index);
    const names = numbers.map((number) => `up n${number}`);
    for (const number of numbers) {
      await lan.near.list({ id: `n${number}`, port: 1 + number });
      if (number !== 19) continue;
      const last = (await cut.take(20)).at(-1);
      await cut[Symbol.asyncDispose]();
      // Its place is free once the endpoint has seen it leave.
      let back: EventSource | null = null;
      while (back?.response.statusCode !== 200) back = await listen(port, last?.id ?? "");
      readers.push(back);
    }
    const back = readers.pop();
    expect((await back?.take(20))?.map(told)).toEqual(names.slice(20));
    for (const { take } of readers) expect((await take(40)).map(told)).toEqual(names);
    stalled.destroy();
  });

  test("ends with the endpoint", async () => {
    const { port, gateway } = await lan.open();
    const { next } = await listen(port);
    await next();
    gateway.drain();
    await expect(next()).rejects.toThrow("the stream has ended");
  });
});

test("a log keeps a thousand events, or those of 4 MiB", () => {
  const log = new EventLog("start");
  for (let number = 1; number <= 10_000; number += 1) log.note({ type: "recovered", transport: `${number}` });
  expect(log.size).toBe(1_000);
  expect(log.textOf(9_000)).toBeNull();
  expect(log.textOf(9_001)).toContain('"9001"');
  expect(log.resume("start-9000")).toBe(9_000);
  expect(log.resume("start-8999")).toBeNull();
  expect(log.resume("start-10001")).toBeNull();
  const transport = "x".repeat(1_048_576);
  for (let number = 1; number <= 8; number += 1) log.note({ type: "recovered", transport });
  expect(log.size).toBe(3);
});
