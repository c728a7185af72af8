/** The listeners of each signal that has any, in the order in which they came; the signal itself has one for all. */
const listeners = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls back once when a signal aborts, and never when it was aborted before; the result ends that.
 *
 * Any number of listeners cost the signal one of its own, so that a signal that stands for many things at once, such
 * as a user's, never makes Node warn of a leak; and none when the last has ended.
 */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  if (signal.aborted) return () => {};
  const all = listeners.get(signal) ?? listenTo(signal);
  // One function may be given twice, and each is ended for itself.
  const own = (): void => listener();
  all.add(own);
  return () => {
    all.delete(own);
    if (all.size > 0 || listeners.get(signal) !== all) return;
    listeners.delete(signal);
    signal.removeEventListener("abort", callAll);
  };
}

/** Settles as `work` does, or rejects with the signal's reason when that comes first; `work` goes on to its own end. */
export function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    const ignore = onAbort(signal, () => reject(signal.reason));
    work.then(resolve, reject).finally(ignore);
  });
}

function listenTo(signal: AbortSignal): Set<() => void> {
  const all = new Set<() => void>();
  listeners.set(signal, all);
  signal.addEventListener("abort", callAll, { once: true });
  return all;
}

/** Each, whatever those before it throw: that is thrown where nothing catches it, as an event target does. */
function callAll({ target }: Event): void {
  const signal = target as AbortSignal;
  const all = listeners.get(signal) ?? new Set();
  listeners.delete(signal);
  for (const listener of all) {
    try {
      listener();
    } catch (error) {
      process.nextTick(() => {
        throw error;
      });
    }
  }
}
