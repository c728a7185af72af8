import type { Clock } from "@lmserv/discovery-core/transport";
import { scheduleFairly } from "./fair-timer.ts";
import type { LinkLimits } from "./limits.ts";

/** The way out of this process. */
export interface Pipe {
  /** What it took and could not pass on yet. */
  readonly bufferedAmount: number;
  /** `sent` is called when the system has taken the message. */
  send(message: string, sent: () => void): void;
}

export interface SendQueueOptions {
  readonly clock: Clock;
  readonly limits: Pick<LinkLimits, "holdBytes" | "evictBytes" | "stallMs">;
  readonly pipe: Pipe;
  /** The peer takes too little; the message says how little. */
  overflow(message: string): void;
}

/**
 * What waits for a peer, at most `evictBytes` of it.
 *
 * While the socket has room messages pass right through. Then they wait, the later one of a kind in the place
 * of the earlier, since what members tell each other is state and only the last of it counts.
 */
export class SendQueue {
  readonly #options: SendQueueOptions;
  readonly #waiting = new Map<string | symbol, string>();
  #waitingBytes = 0;
  #sending = 0;
  #progressMs = 0;
  #cancelWatch: (() => void) | null = null;
  #emptied: () => void = () => {};

  constructor(options: SendQueueOptions) {
    this.#options = options;
  }

  send(message: string, coalesceKey?: string): void {
    if (this.#waiting.size === 0 && this.#hasRoom(message)) {
      this.#write(message);
      return;
    }
    const key = coalesceKey ?? Symbol();
    this.#waitingBytes += Buffer.byteLength(message) - Buffer.byteLength(this.#waiting.get(key) ?? "");
    this.#waiting.set(key, message);
    const { limits, pipe, overflow } = this.#options;
    const bytes = pipe.bufferedAmount + this.#waitingBytes;
    if (bytes > limits.evictBytes) overflow(`${bytes} bytes wait for it, more than ${limits.evictBytes}`);
  }

  /** What to call when something that is being sent left this process; watches over it until then. */
  sending(sent: () => void): () => void {
    this.#sending += 1;
    if (this.#sending === 1) this.#progressMs = this.#options.clock.now();
    if (this.#cancelWatch === null) this.#watch(this.#options.limits.stallMs);
    return () => {
      this.#sending -= 1;
      this.#progressMs = this.#options.clock.now();
      sent();
    };
  }

  /** Resolves when nothing waits and nothing is being sent. */
  emptied(): Promise<void> {
    return new Promise((resolve) => {
      this.#emptied = resolve;
      this.#pump();
    });
  }

  /** Forgets what waits. */
  drop(): void {
    this.#waiting.clear();
    this.#waitingBytes = 0;
    this.#cancelWatch?.();
  }

  #hasRoom(message: string): boolean {
    const { pipe, limits } = this.#options;
    return pipe.bufferedAmount + Buffer.byteLength(message) <= limits.holdBytes;
  }

  #write(message: string): void {
    this.#options.pipe.send(
      message,
      this.sending(() => this.#pump()),
    );
  }

  #pump(): void {
    for (const [key, message] of this.#waiting) {
      if (!this.#hasRoom(message)) return;
      this.#waiting.delete(key);
      this.#waitingBytes -= Buffer.byteLength(message);
      this.#write(message);
    }
    if (this.#sending === 0) this.#emptied();
  }

  #watch(waitMs: number): void {
    const { clock, limits, overflow } = this.#options;
    this.#cancelWatch = scheduleFairly(clock, waitMs, () => {
      this.#cancelWatch = null;
      if (this.#sending === 0) return;
      const idleMs = clock.now() - this.#progressMs;
      if (idleMs >= limits.stallMs) overflow(`it has taken nothing for ${Math.round(idleMs)} ms`);
      else this.#watch(Math.ceil(limits.stallMs - idleMs));
    });
  }
}
