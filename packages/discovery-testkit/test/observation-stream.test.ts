import { type Observation, type ObservationSink, observationStream } from "@lmserv/discovery-core/transport";
import { expect, test } from "vitest";
import { never } from "./bench.ts";

test("ten thousand reports wait for a slow consumer at most, and that all is settled besides", async () => {
  const gone = (key: number): Observation => ({ kind: "gone", via: "m", key: `${key}`, reason: "goodbye" });
  const fill = (sink: ObservationSink) => {
    for (let key = 0; key < 30_000; key += 1) sink.push(gone(key % 15_000));
    sink.push({ kind: "settled", via: "m" });
    sink.end();
    return () => {};
  };
  const taken: Observation[] = [];
  for await (const seen of observationStream({ signal: never, closed: never, start: fill })) taken.push(seen);
  expect(taken).toHaveLength(10_001);
  expect(taken.at(-1)).toEqual({ kind: "settled", via: "m" });
});
