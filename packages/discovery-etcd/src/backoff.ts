const firstMs = 250;

/** Full jitter, doubling up to a cap. */
export class Backoff {
  readonly #random: () => number;
  readonly #capMs: number;
  #failures = 0;

  constructor(random: () => number, capMs: number) {
    this.#random = random;
    this.#capMs = capMs;
  }

  /** How long to wait after one more failure. */
  nextMs(): number {
    const ceilingMs = Math.min(this.#capMs, firstMs * 2 ** Math.min(this.#failures, 16));
    this.#failures += 1;
    return this.#random() * ceilingMs;
  }

  reset(): void {
    this.#failures = 0;
  }
}
