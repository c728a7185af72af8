import type { RegistryChange } from "../contract/registry-change.ts";
import { type Sink, Stream } from "../streams/stream.ts";

export interface ChangeStreamOptions {
  readonly signal: AbortSignal;
  readonly closed: AbortSignal;
  readonly start: (sink: Sink<RegistryChange>) => () => void;
}

/**
 * Result of `watch`: changes in order. A slow consumer gets the sum of what it missed, so that the number of
 * nodes bounds the queue.
 */
export function changeStream(options: ChangeStreamOptions): AsyncIterableIterator<RegistryChange> {
  return new Stream({ ...options, enqueue: addUp });
}

function addUp(waiting: Map<string, RegistryChange>, change: RegistryChange): void {
  const { id } = change.node;
  const before = waiting.get(id);
  const sum = before ? sumOf(before, change) : change;
  if (sum) waiting.set(id, sum);
  else waiting.delete(id);
}

/** Sum of two consecutive changes, or null if they cancel out. */
function sumOf(before: RegistryChange, change: RegistryChange): RegistryChange | null {
  if (before.kind === "up") return change.kind === "down" ? null : { kind: "up", node: change.node };
  if (before.kind === "down") return { kind: "updated", node: change.node };
  return change;
}
