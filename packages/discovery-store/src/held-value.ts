import { type Cancellable, onAbort } from "@lmserv/discovery-core/transport";

interface Waiter {
  readonly version: number;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/** Value that a store is to keep, with the callers that wait for that. */
export class HeldValue {
  readonly #waiters = new Set<Waiter>();
  #text: string;
  #version = 1;
  /** Latest version that the store has acknowledged. */
  #kept = 0;
  #failure: { readonly reason: unknown } | null = null;

  constructor(text: string) {
    this.#text = text;
  }

  get text(): string {
    return this.#text;
  }

  /** Grows with each change of the text. */
  get version(): number {
    return this.#version;
  }

  /** True if the store has the present value. */
  get isKept(): boolean {
    return this.#kept === this.#version;
  }

  /** True after the first acknowledgement. */
  get wasKept(): boolean {
    return this.#kept > 0;
  }

  change(text: string): void {
    this.#text = text;
    this.#version += 1;
  }

  /** Resolves when the store has the present value, or a later one. */
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

  /** Records that the store acknowledged a version. */
  keep(version: number): void {
    this.#kept = version;
    for (const waiter of [...this.#waiters]) if (waiter.version <= version) waiter.resolve();
  }

  /** Ends the value: present and future waiters get the reason. */
  fail(reason: unknown): void {
    this.#failure ??= { reason };
    for (const waiter of [...this.#waiters]) waiter.reject(reason);
  }
}
