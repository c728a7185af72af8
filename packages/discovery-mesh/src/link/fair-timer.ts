import type { Clock } from "@lmserv/discovery-core/transport";

/**
 * Calls back after `delayMs` in which this process was there to hear others; the result cancels it.
 *
 * After a stall timers run before sockets are read, so that everybody seems to have been silent: what came in
 * meanwhile is read first, and a timer that is late by a quarter runs again.
 */
export function scheduleFairly(clock: Clock, delayMs: number, callback: () => void): () => void {
  const dueMs = clock.now() + delayMs;
  let cancel = clock.schedule(delayMs, () => {
    if (clock.now() - dueMs > delayMs / 4) {
      cancel = scheduleFairly(clock, delayMs, callback);
      return;
    }
    // Sockets are read before the immediates of the same turn.
    const immediate = setImmediate(callback);
    cancel = () => clearImmediate(immediate);
  });
  return () => cancel();
}
