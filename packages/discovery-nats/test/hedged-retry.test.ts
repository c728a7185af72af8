import { VirtualClock } from "@lmserv/discovery-testkit";
import { TimeoutError } from "@nats-io/transport-node";
import { beforeEach, describe, expect, test } from "vitest";
import { hedgedRetry } from "../src/hedged-retry.ts";

const everyMs = 1_000;
const forMs = 3_000;

interface Asking {
  readonly atMs: number;
  readonly answer: (text: string) => void;
  readonly fail: (error: Error) => void;
}

let clock: VirtualClock;
let askings: Asking[];
let outcome: Promise<string>;

beforeEach(() => {
  clock = new VirtualClock();
  askings = [];
  const ask = (): Promise<string> =>
    new Promise((answer, fail) => {
      askings.push({ atMs: clock.now(), answer, fail });
    });
  outcome = hedgedRetry(ask, { clock, everyMs, forMs });
  outcome.catch(() => {});
});

describe("a hedged retry", () => {
  test("asks again while nobody answers, and for so long", async () => {
    await clock.advance(10 * forMs);
    expect(askings.map(({ atMs }) => atMs)).toEqual([0, 1_000, 2_000]);
  });

  test.each([0, 1, 2])("takes the answer to asking %i, and asks no more", async (index) => {
    await clock.advance(index * everyMs);
    askings[index]?.answer("here");
    await expect(outcome).resolves.toBe("here");
    expect(clock.pending).toBe(0);
  });

  test("still hears the first after the second was in vain", async () => {
    await clock.advance(everyMs);
    askings[1]?.fail(new TimeoutError());
    askings[0]?.answer("late");
    await expect(outcome).resolves.toBe("late");
  });

  test("gives up with silence only when every asking has ended with it", async () => {
    let failure: unknown = null;
    outcome.catch((error: unknown) => {
      failure = error;
    });
    await clock.advance(2 * everyMs);
    for (const { fail } of askings.slice(1)) fail(new TimeoutError());
    await clock.advance(forMs);
    expect(failure).toBeNull();
    askings[0]?.fail(new TimeoutError());
    await expect(outcome).rejects.toBeInstanceOf(TimeoutError);
  });

  test("gives up at once when it is refused", async () => {
    askings[0]?.fail(new Error("you may not"));
    await expect(outcome).rejects.toThrow("you may not");
    await clock.advance(forMs);
    expect(askings).toHaveLength(1);
  });
});
