import type { Observation } from "../contract/transport.ts";
import { type Sink, Stream } from "./stream.ts";

export type ObservationSink = Sink<Observation>;

export interface ObservationStreamOptions {
  /** The browse's own signal. */
  readonly signal: AbortSignal;
  /** Aborted when the session is disposed. */
  readonly closed: AbortSignal;
  /** Runs at the first `next()`; the result stops the producer, once, at whichever ending. */
  readonly start: (sink: ObservationSink) => () => void;
}

/** As many as a registry lists unless told otherwise; what is left out is repeated, or runs out, in time. */
const maxWaiting = 10_000;

/**
 * What `browse` returns in every transport.
 *
 * A slow consumer finds the latest observation of each key, so that it costs memory by the number of
 * nodes, up to 10 000, and not by the time it sleeps.
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

/** Passes what `source` yields to `push` until it ends; rejects with its failure. */
export async function forward(
  source: AsyncIterable<Observation>,
  push: (observation: Observation) => void,
): Promise<void> {
  for await (const observation of source) push(observation);
}
