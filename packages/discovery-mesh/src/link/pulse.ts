import type { Clock } from "@lmserv/discovery-core";

/** Takes part in a pulse; `isFull` once in each interval. */
export type Beat = (isFull: boolean) => void;

/** How often it is looked whether somebody has been silent for too long. */
const beatsPerInterval = 10;

/** One timer for all links of a host: what they have to do, they do together, and wake the process once for it. */
export class Pulse {
  readonly #clock: Clock;
  readonly #beatMs: number;
  readonly #beats = new Set<Beat>();
  #count = 0;
  #cancel: () => void = () => {};

  /** @param intervalMs - How often each link is asked whether its peer is there. */
  constructor(clock: Clock, intervalMs: number) {
    this.#clock = clock;
    this.#beatMs = intervalMs / beatsPerInterval;
  }

  /** Calls `beat` from now on; as many as there are links. The result ends that. */
  join(beat: Beat): () => void {
    this.#beats.add(beat);
    if (this.#beats.size === 1) this.#arm();
    return () => {
      this.#beats.delete(beat);
      if (this.#beats.size === 0) this.#cancel();
    };
  }

  #arm(): void {
    this.#cancel();
    this.#cancel = this.#clock.schedule(this.#beatMs, () => {
      this.#arm();
      this.#count += 1;
      const isFull = this.#count % beatsPerInterval === 0;
      for (const beat of [...this.#beats]) beat(isFull);
    });
  }
}
