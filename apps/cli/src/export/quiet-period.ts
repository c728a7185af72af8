import type { Clock } from "@lmserv/discovery-core/transport";

/** Changes that come together are one, in ms. */
const quietMs = 1_000;
/** Changes that never end are told all the same, in ms. */
const mostMs = 5_000;

/** Calls back once nothing has changed for a second, or five seconds after the first change. */
export class QuietPeriod {
  readonly #clock: Clock;
  readonly #onQuiet: () => void;
  #firstMs: number | null = null;
  #cancel = (): void => {};

  constructor(clock: Clock, onQuiet: () => void) {
    this.#clock = clock;
    this.#onQuiet = onQuiet;
  }

  /** Something has changed. */
  touch(): void {
    const nowMs = this.#clock.now();
    this.#firstMs ??= nowMs;
    this.after(Math.max(0, Math.min(quietMs, this.#firstMs + mostMs - nowMs)));
  }

  /** Calls back after so long, unless something changes before. */
  after(delayMs: number): void {
    this.#cancel();
    this.#cancel = this.#clock.schedule(delayMs, () => {
      this.#firstMs = null;
      this.#onQuiet();
    });
  }

  stop(): void {
    this.#cancel();
  }
}
