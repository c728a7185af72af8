import { onAbort } from "../streams/abort-listener.ts";

/** Source of time, injected so that tests control it. */
export interface Clock {
  /** Monotonic time in ms, with an arbitrary zero. */
  now(): number;
  /** Milliseconds since 1970; only to show times to people and to notice a suspended host. */
  wall(): number;
  /** Calls back once, at least `delayMs` from now; returns the function that cancels it. */
  schedule(delayMs: number, callback: () => void): () => void;
}

/** Longest delay of Node's timers, in ms. */
const maxDelayMs = 2_147_483_647;

/** Node loads `performance` at its first use, which costs 1 ms and half a megabyte. */
function now(): number {
  const [s, ns] = process.hrtime();
  return s * 1_000 + ns / 1e6;
}

/** Clock of this machine. Its timers keep the process alive. */
export const systemClock: Clock = {
  now,
  // The only call of its kind: all other code gets a clock.
  wall: () => Date.now(),
  schedule(delayMs, callback) {
    const dueMs = now() + delayMs;
    let timer: NodeJS.Timeout;
    // Node counts from the start of the turn and caps delays at `maxDelayMs`: either fires too early.
    const arm = (): void => {
      const leftMs = Math.min(Math.max(dueMs - now(), 0), maxDelayMs);
      timer = setTimeout(() => (now() < dueMs ? arm() : callback()), leftMs);
    };
    arm();
    return () => clearTimeout(timer);
  },
};

/** Moment of the monotonic clock as ISO 8601 in UTC, by the present wall time. */
export function isoTime(clock: Pick<Clock, "now" | "wall">, ms: number): string {
  return new Date(clock.wall() - clock.now() + ms).toISOString();
}

/** Resolves after `delayMs`, or rejects with `signal.reason`. */
export function sleep(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const cancel = clock.schedule(delayMs, () => {
      ignore();
      resolve();
    });
    const ignore = onAbort(signal, () => {
      cancel();
      reject(signal.reason);
    });
  });
}
