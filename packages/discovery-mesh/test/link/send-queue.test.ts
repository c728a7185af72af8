import { VirtualClock } from "@lmserv/discovery-testkit";
import { describe, expect, it } from "vitest";
import { SendQueue } from "../../src/link/send-queue.ts";

const limits = { holdBytes: 100, evictBytes: 400, stallMs: 10_000 };

/** An outbox over a pipe whose other end takes something only when told to. */
function posted() {
  const clock = new VirtualClock();
  const overflows: string[] = [];
  const inPipe: { message: string; sent: () => void }[] = [];
  const delivered: string[] = [];
  const sendQueue = new SendQueue({
    clock,
    limits,
    pipe: {
      get bufferedAmount() {
        return inPipe.reduce((sum, { message }) => sum + message.length, 0);
      },
      send: (message, sent) => inPipe.push({ message, sent }),
    },
    overflow: (detail) => overflows.push(detail),
  });
  const take = (count = 1): void => {
    for (const { message, sent } of inPipe.splice(0, count)) {
      delivered.push(message);
      sent();
    }
  };
  return { clock, sendQueue, overflows, delivered, inPipe, take };
}

const long = (text: string): string => text.padEnd(90, ".");

describe("an outbox", () => {
  it("holds what the socket has no room for and sends it in order", () => {
    const { sendQueue, inPipe, take, delivered } = posted();
    for (const text of ["a", "b", "c"]) sendQueue.send(long(text));
    expect(inPipe).toHaveLength(1);
    take();
    take();
    take();
    expect(delivered).toEqual(["a", "b", "c"].map(long));
  });

  it("sends only the last of those with one key", () => {
    const { sendQueue, take, delivered } = posted();
    sendQueue.send(long("first"), "k");
    for (let version = 0; version < 100; version += 1) sendQueue.send(long(`k${version}`), "k");
    sendQueue.send("other");
    take();
    take(2);
    expect(delivered).toEqual([long("first"), long("k99"), "other"]);
  });

  it("gives up when too much waits, which one key never is", () => {
    const { sendQueue, overflows } = posted();
    sendQueue.send(long("a"));
    for (let version = 0; version < 1_000; version += 1) sendQueue.send(long(`${version}`), "k");
    expect(overflows).toEqual([]);
    for (const text of ["b", "c", "d"]) sendQueue.send(long(text));
    expect(overflows).toEqual(["450 bytes wait for it, more than 400"]);
  });

  it("gives up when nothing is taken for 10 s, not when little is", async () => {
    const { clock, sendQueue, overflows, take } = posted();
    for (const text of ["a", "b", "c"]) sendQueue.send(long(text));
    await clock.advance(9_000);
    take();
    await clock.advance(9_000);
    take();
    await clock.advance(9_000);
    expect(overflows).toEqual([]);
    await clock.advance(1_500);
    expect(overflows).toEqual(["it has taken nothing for 10000 ms"]);
  });

  it("watches nothing when everything is taken, and can be told when that is", async () => {
    const { clock, sendQueue, overflows, take } = posted();
    sendQueue.send(long("a"));
    sendQueue.send(long("b"));
    let isEmpty = false;
    const emptied = sendQueue.emptied().then(() => {
      isEmpty = true;
    });
    take();
    await clock.advance(0);
    expect(isEmpty).toBe(false);
    take();
    await emptied;
    await clock.advance(60_000);
    expect(overflows).toEqual([]);
    expect(clock.pending).toBe(0);
  });
});
