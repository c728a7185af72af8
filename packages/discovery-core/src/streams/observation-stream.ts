import type { Observation } from "../contract/transport.ts";
import { type Sink, Stream } from "./stream.ts";

export type ObservationSink = Sink<Observation>;

export interface ObservationStreamOptions {
  /** Signal of the browse. */
  readonly signal: AbortSignal;
  /** Aborted when the session is disposed. */
  readonly closed: AbortSignal;
  /** Runs at the first `next()`; the returned function stops the producer once, at any ending. */
  readonly start: (sink: ObservationSink) => () => void;
}

/** Bound on waiting observations, the default of a registry; an omitted one is repeated, or expires. */
const maxWaiting = 10_000;

/**
 * Result of `browse` in every transport.
 *
 * A slow consumer gets the latest observation of each key. Its cost is bounded by the number of nodes, up to
 * 10 000, and not by its delay.
 */
export function observationStream(options: ObservationStreamOptions): AsyncIterable<Observation> {
  return new Stream({ ...options, enqueue: replaceOlder });
}

function replaceOlder(waiting: Map<string, Observation>, item: Observation): void {
  const isOfNode = item.kind === "alive" || item.kind === "gone";
  const slot = isOfNode ? `${item.via}\0${item.key}` : `${item.kind} ${item.via}`;
  if (!waiting.delete(slot) && waiting.size >= maxWaiting && isOfNode) return;
  waiting.set(slot, item);
}

/** Forwards the items of `source` to `push` until it ends; rejects with its failure. */
export async function forward(
  source: AsyncIterable<Observation>,
  push: (observation: Observation) => void,
): Promise<void> {
  for await (const observation of source) push(observation);
}
