import type { Labels, Sample } from "./exposition.ts";

/** Counts values by upper bounds, as Prometheus wants them: each bucket holds those below it. */
export class Histogram {
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #count = 0;
  #sum = 0;

  /** @param bounds - Upper bounds, ascending. */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = bounds.map(() => 0);
  }

  observe(value: number): void {
    this.#count += 1;
    this.#sum += value;
    for (const [index, bound] of this.#bounds.entries()) {
      if (value <= bound) this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    }
  }

  samples(labels: Labels = {}): readonly Sample[] {
    const buckets = this.#bounds.map((bound, index) => ({
      suffix: "_bucket" as const,
      labels: { ...labels, le: `${bound}` },
      value: this.#counts[index] ?? 0,
    }));
    return [
      ...buckets,
      { suffix: "_bucket", labels: { ...labels, le: "+Inf" }, value: this.#count },
      { suffix: "_sum", labels, value: this.#sum },
      { suffix: "_count", labels, value: this.#count },
    ];
  }
}
