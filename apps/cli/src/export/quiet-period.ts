import type { Clock } from "@lmserv/discovery-core/transport";

/** Pause that joins changes into one, in ms. */
const quietMs = 1_000;
/** Longest delay of changes without a pause, in ms. */
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

  /** Records a change. */
  touch(): void {
    const nowMs = this.#clock.now();
    this.#firstMs ??= nowMs;
    this.after(Math.max(0, Math.min(quietMs, this.#firstMs + mostMs - nowMs)));
  }

  /** Calls back after the delay, unless there is a change before. */
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
