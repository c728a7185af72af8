import type { Clock } from "@lmserv/discovery-core/transport";
import { scheduleFairly } from "./fair-timer.ts";
import type { LinkLimits } from "./limits.ts";

export interface HeartbeatOptions {
  readonly clock: Clock;
  readonly limits: Pick<LinkLimits, "pingIntervalMs" | "pongMs">;
  readonly pings: PingSchedule;
  /** Whether it is for this side to ask, and for the other one only when it hears nothing. */
  readonly leads: boolean;
  /** Sends a ping; `sent` is called when it has left this process: what waits before it is not the peer's fault. */
  ping(sent: () => void): void;
  /** Nothing came back, twice. */
  silent(): void;
}

const maxMisses = 2;
/** The side that does not lead waits so much longer than the other one's pings take to come. */
const patience = 1.05;

/**
 * Notices a peer that is gone without a word.
 *
 * The side that leads pings once in `pingIntervalMs`, together with all its other links; the other one only after that
 * much silence, since whatever the peer sends is a sign of life. After a miss it is pinged again at once.
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  #heardMs: number;
  #state: "resting" | "asking" | "stopped" = "resting";
  #misses = 0;
  #cancelWait: () => void = () => {};
  readonly #leave: () => void;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#heardMs = options.clock.now();
    this.#leave = options.pings.join((isFull) => this.#beat(isFull));
  }

  /** When something came from the peer last. */
  get heardMs(): number {
    return this.#heardMs;
  }

  /** Something came from the peer. */
  heard(): void {
    this.#heardMs = this.#options.clock.now();
    this.#misses = 0;
    if (this.#state !== "asking") return;
    this.#state = "resting";
    this.#cancelWait();
  }

  stop(): void {
    this.#state = "stopped";
    this.#cancelWait();
    this.#leave();
  }

  #beat(isFull: boolean): void {
    const { leads } = this.#options;
    if (this.#state === "resting" && (leads ? isFull : this.#isSilent())) this.#ask();
  }

  #isSilent(): boolean {
    const { clock, limits } = this.#options;
    return clock.now() - this.#heardMs >= patience * limits.pingIntervalMs;
  }

  #ask(): void {
    this.#state = "asking";
    this.#options.ping(() => {
      if (this.#state === "asking") this.#await();
    });
  }

  #await(): void {
    const { clock, limits, silent } = this.#options;
    this.#cancelWait();
    this.#cancelWait = scheduleFairly(clock, limits.pongMs, () => {
      this.#misses += 1;
      if (this.#misses < maxMisses) this.#ask();
      else silent();
    });
  }
}

/** Takes part in a pulse; `isFull` once in each interval. */
export type Beat = (isFull: boolean) => void;

/** How often it is looked whether somebody has been silent for too long. */
const beatsPerInterval = 10;

/** One timer for all links of a host: what they have to do, they do together, and wake the process once for it. */
export class PingSchedule {
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
