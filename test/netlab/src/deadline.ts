import { setTimeout as delay } from "node:timers/promises";

/** Granularity of Node's timers, which may be early by less than this, in ms. */
const grainMs = 1;

/**
 * Settles as `work` does, or rejects after `timeoutMs`.
 *
 * The signal of `work` is aborted in every case, so that nothing of it stays behind.
 *
 * @param what - Ends the sentence "<what> within <timeoutMs> ms".
 * @param queuedMs - Time that the workers have waited for a processor so far, which does not count.
 */
export async function within<T>(
  timeoutMs: number,
  what: () => string,
  work: (signal: AbortSignal) => Promise<T>,
  queuedMs: () => number = () => 0,
): Promise<T> {
  const over = new AbortController();
  const late = elapse(timeoutMs, queuedMs, over.signal).then(() => {
    throw new Error(`${what()} within ${timeoutMs} ms`);
  });
  try {
    return await Promise.race([work(over.signal), late]);
  } finally {
    over.abort();
  }
}

/** Resolves after `ms`, without the time queued meanwhile. */
async function elapse(ms: number, queuedMs: () => number, signal: AbortSignal): Promise<void> {
  const queuedBeforeMs = queuedMs();
  for (let pauseMs = ms, passedMs = 0; pauseMs >= grainMs; ) {
    await delay(pauseMs, undefined, { signal });
    passedMs += pauseMs;
    pauseMs = ms - (passedMs - (queuedMs() - queuedBeforeMs));
  }
}
