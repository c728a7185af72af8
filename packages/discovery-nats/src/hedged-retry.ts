import type { Clock } from "@lmserv/discovery-core/transport";
import { isNoAnswer } from "./error-mapping.ts";

export interface HedgedRetryOptions {
  readonly clock: Clock;
  /** Wait between two questions, in ms. */
  readonly everyMs: number;
  /** Time in ms after which no further question is asked. */
  readonly forMs: number;
}

/**
 * Asks again at intervals without giving earlier questions up, and takes the first answer.
 *
 * A cluster without a leader drops questions and never answers them later. For minutes it also sends one
 * question in three to a server that just died.
 *
 * @param ask - May run several times at once.
 * @throws the first failure other than silence; silence if the last question ended with it.
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
