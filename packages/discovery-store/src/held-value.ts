import { type Cancellable, onAbort } from "@lmserv/discovery-core/transport";

interface Waiter {
  readonly version: number;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/** A value that a store is to keep, and whoever waits until it does. */
export class HeldValue {
  readonly #waiters = new Set<Waiter>();
  #text: string;
  #version = 1;
  /** The latest that the store has acknowledged. */
  #kept = 0;
  #failure: { readonly reason: unknown } | null = null;

  constructor(text: string) {
    this.#text = text;
  }

  get text(): string {
    return this.#text;
  }

  /** Grows with each other text. */
  get version(): number {
    return this.#version;
  }

  /** Whether the store has what is wanted now. */
  get isKept(): boolean {
    return this.#kept === this.#version;
  }

  /** Whether the store has ever had any of it. */
  get wasKept(): boolean {
    return this.#kept > 0;
  }

  change(text: string): void {
    this.#text = text;
    this.#version += 1;
  }

  /** Resolves when the store has what is wanted now, or what was wanted later. */
  whenKept({ signal }: Cancellable): Promise<void> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      if (this.#failure) throw this.#failure.reason;
      const end = (settle: () => void): void => {
        this.#waiters.delete(waiter);
        ignore();
        settle();
      };
      const waiter: Waiter = {
        version: this.#version,
        resolve: () => end(resolve),
        reject: (reason) => end(() => reject(reason)),
      };
      this.#waiters.add(waiter);
      const ignore = onAbort(signal, () => waiter.reject(signal.reason));
    });
  }

  /** The store has acknowledged a version. */
  keep(version: number): void {
    this.#kept = version;
    for (const waiter of [...this.#waiters]) if (waiter.version <= version) waiter.resolve();
  }

  /** It is kept no more: whoever waits, or will, is told why. */
  fail(reason: unknown): void {
    this.#failure ??= { reason };
    for (const waiter of [...this.#waiters]) waiter.reject(reason);
  }
}
