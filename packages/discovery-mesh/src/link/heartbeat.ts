import type { Clock } from "@lmserv/discovery-core";
import { scheduleFairly } from "./fair-timer.ts";
import type { LinkLimits } from "./limits.ts";

export interface HeartbeatOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly limits: Pick<LinkLimits, "pingIntervalMs" | "pongMs">;
  /** Pings even while the peer is heard, because pings carry something. */
  readonly always: boolean;
  /** Sends a ping; `sent` is called when it has left this process: what waits before it is not the peer's fault. */
  ping(sent: () => void): void;
  /** Nothing came back, twice. */
  silent(): void;
}

const maxMisses = 2;

/**
 * Notices a peer that is gone without a word.
 *
 * Whatever the peer sends is a sign of life, its pings included: so of two sides only one pings. After
 * `pingIntervalMs` of silence, give or take a tenth, it is pinged; after a miss again at once.
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  #heardMs: number;
  #state: "resting" | "asking" | "stopped" = "resting";
  #misses = 0;
  #cancel: () => void = () => {};

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#heardMs = options.clock.now();
    this.#rest();
  }

  /** Something came from the peer. */
  heard(): void {
    this.#heardMs = this.#options.clock.now();
    this.#misses = 0;
    if (this.#state === "asking") this.#rest();
  }

  stop(): void {
    this.#state = "stopped";
    this.#cancel();
  }

  #rest(): void {
    const { clock, random, limits, always } = this.#options;
    const intervalMs = Math.round(limits.pingIntervalMs * (0.9 + 0.2 * random()));
    this.#state = "resting";
    const wait = (waitMs: number): void => {
      this.#cancel();
      this.#cancel = clock.schedule(waitMs, () => {
        const heardAgoMs = clock.now() - this.#heardMs;
        if (always || heardAgoMs >= intervalMs) this.#ask();
        else wait(Math.ceil(intervalMs - heardAgoMs));
      });
    };
    wait(intervalMs);
  }

  #ask(): void {
    this.#state = "asking";
    this.#options.ping(() => {
      if (this.#state === "asking") this.#await();
    });
  }

  #await(): void {
    const { clock, limits, silent } = this.#options;
    this.#cancel();
    this.#cancel = scheduleFairly(clock, limits.pongMs, () => {
      this.#misses += 1;
      if (this.#misses < maxMisses) this.#ask();
      else silent();
    });
  }
}
