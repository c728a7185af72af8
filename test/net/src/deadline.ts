import { setTimeout as delay } from "node:timers/promises";

/**
 * Settles as `work` does, or rejects once `timeoutMs` are over.
 *
 * The signal that `work` receives is aborted in every case, so that nothing of it stays behind.
 *
 * @param what - Ends the sentence "<what> within <timeoutMs> ms".
 */
export async function within<T>(
  timeoutMs: number,
  what: () => string,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const late = delay(timeoutMs, undefined, { signal: over.signal }).then(() => {
    throw new Error(`${what()} within ${timeoutMs} ms`);
  });
  try {
    return await Promise.race([work(over.signal), late]);
  } finally {
    over.abort();
  }
}
