import type { Clock } from "@lmserv/discovery-core/transport";

/** A place among the dials that are under way. */
export interface DialTurn {
  /** The other side answered: the handshake begins. Whoever takes long to answer at all gives its place away. */
  connected(): void;
  /** The handshake is over: done, refused, or too late. */
  end(outcome: DialOutcome): void;
}

export type DialOutcome = "done" | "refused" | "late";

const handshakes = { first: 8, least: 1, most: 32 };
/** A handshake that takes so long waits for processors more than for the network: 2.5 round trips and some ms. */
const slowMs = 1_000;
/** On a network that works a host that is there answers sooner. */
const answerMs = 500;

/**
 * Says how many handshakes begin at once: more while they are quick, half as many as soon as they are not.
 *
 * Members that all start at once would otherwise have so many under way that each comes too late, and is begun
 * again: a handshake costs both sides milliseconds. Dials to hosts that are gone hold no place for long.
 */
export class DialPace {
  readonly #clock: Clock;
  /** In the order of arrival; as many as are dialled at once. */
  readonly #waiting: ((turn: DialTurn) => void)[] = [];
  #busy = 0;
  #limit = handshakes.first;
  #slowedMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves when there is a place. */
  turn(): Promise<DialTurn> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#admit();
    });
  }

  #admit(): void {
    while (this.#busy < Math.floor(this.#limit)) {
      const next = this.#waiting.shift();
      if (!next) return;
      next(this.#begin());
    }
  }

  #begin(): DialTurn {
    this.#busy += 1;
    const leave = (): void => {
      cancel();
      if (!holds) return;
      holds = false;
      this.#busy -= 1;
      this.#admit();
    };
    let holds = true;
    let connectedMs: number | null = null;
    const cancel = this.#clock.schedule(answerMs, leave);
    return {
      connected: () => {
        cancel();
        connectedMs = this.#clock.now();
      },
      end: (outcome) => {
        if (connectedMs !== null) this.#learn(outcome, this.#clock.now() - connectedMs);
        leave();
      },
    };
  }

  #learn(outcome: DialOutcome, tookMs: number): void {
    if (outcome === "late" || tookMs >= slowMs) this.#slowDown();
    else if (outcome === "done") this.#speedUp();
  }

  /** By one for each round. */
  #speedUp(): void {
    this.#limit = Math.min(handshakes.most, this.#limit + 1 / Math.floor(this.#limit));
  }

  /** Those under way together are late together: that counts once. */
  #slowDown(): void {
    const nowMs = this.#clock.now();
    if (nowMs - this.#slowedMs < slowMs) return;
    this.#slowedMs = nowMs;
    this.#limit = Math.max(handshakes.least, this.#limit / 2);
  }
}
