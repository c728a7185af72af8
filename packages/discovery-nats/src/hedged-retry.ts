import type { Clock } from "@lmserv/discovery-core/transport";
import { isNoAnswer } from "./error-mapping.ts";

export interface HedgedRetryOptions {
  readonly clock: Clock;
  /** Between one asking and the next, in ms. */
  readonly everyMs: number;
  /** The last asking comes before this is over. */
  readonly forMs: number;
}

/**
 * Asks again and again, gives no earlier asking up, and takes the first answer.
 *
 * A cluster that is choosing who leads answers nobody, and does not come back to it afterwards; for minutes it also gives
 * one question in three to a server that has just died.
 *
 * @param ask - May be running several times at once.
 * @throws the first failure that is more than silence; silence when the last asking ended with it.
 */
export function hedgedRetry<T>(
  ask: () => Promise<T>,
  { clock, everyMs, forMs }: HedgedRetryOptions,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const lastMs = clock.now() + forMs - everyMs;
    let running = 0;
    let isLast = false;
    let cancel = (): void => {};
    const askOnce = (): void => {
      running += 1;
      isLast = clock.now() >= lastMs;
      if (!isLast) cancel = clock.schedule(everyMs, askOnce);
      ask().then(
        (answer) => {
          cancel();
          resolve(answer);
        },
        (error: unknown) => {
          running -= 1;
          if (isNoAnswer(error) && !(isLast && running === 0)) return;
          cancel();
          reject(error);
        },
      );
    };
    askOnce();
  });
}
