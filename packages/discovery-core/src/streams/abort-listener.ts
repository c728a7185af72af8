/** Listeners of each signal, in the order of arrival; the signal itself has one for all. */
const listeners = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls back once when a signal aborts, and never for one that was aborted before; returns the function that
 * ends it.
 *
 * All listeners together cost the signal one of its own, and none after the last has ended. Node therefore
 * never warns of a leak on a signal of many uses.
 */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  if (signal.aborted) return () => {};
  const all = listeners.get(signal) ?? listenTo(signal);
  // A function may be given twice; each registration ends by itself.
  const own = (): void => listener();
  all.add(own);
  return () => {
    all.delete(own);
    if (all.size > 0 || listeners.get(signal) !== all) return;
    listeners.delete(signal);
    signal.removeEventListener("abort", callAll);
  };
}

/**
 * A controller that aborts when one of these signals does, with its reason. Its maker aborts it in the end, which lets
 * go of the signals: they may outlive it.
 */
export function linkedAbort(...signals: readonly AbortSignal[]): AbortController {
  const controller = new AbortController();
  const aborted = signals.find((signal) => signal.aborted);
  if (aborted) controller.abort(aborted.reason);
  for (const signal of aborted ? [] : signals) {
    onAbort(
      controller.signal,
      onAbort(signal, () => controller.abort(signal.reason)),
    );
  }
  return controller;
}

/**
 * Settles as `work` does, or rejects with the signal's reason if that comes first; `work` goes on to its own
 * end.
 */
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

/** Calls each listener, even if others throw; errors are thrown uncaught, as by an event target. */
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
