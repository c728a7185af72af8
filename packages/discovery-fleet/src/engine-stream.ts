import { type Sink, Stream } from "@lmserv/discovery-core";
import { type EngineEvent, maxEntries } from "./engine.ts";

export interface EngineStreamOptions {
  /** The watch's own signal. */
  readonly signal: AbortSignal;
  /** Aborted when the connection is disposed. */
  readonly closed: AbortSignal;
  /** Runs at the first `next()`; the result stops the producer, once, at whichever ending. */
  readonly start: (sink: Sink<EngineEvent>) => () => void;
}

/** Twice what is ever kept: what is left out comes with the next snapshot, or never counted. */
const maxWaiting = 2 * maxEntries;

/** What `watch` returns in every engine: a slow reader finds the latest of each key, and nothing before a snapshot. */
export function engineStream(options: EngineStreamOptions): AsyncIterable<EngineEvent> {
  return new Stream({ ...options, enqueue });
}

function enqueue(waiting: Map<string, EngineEvent>, event: EngineEvent): void {
  if (event.kind === "snapshot") {
    // A loss before it says how to take it.
    const lost = waiting.get("lost");
    waiting.clear();
    if (lost) waiting.set("lost", lost);
    waiting.set("snapshot", event);
    return;
  }
  const slot = event.kind === "lost" ? "lost" : `key ${event.key}`;
  if (!waiting.delete(slot) && waiting.size >= maxWaiting && event.kind !== "lost") return;
  waiting.set(slot, event);
}
