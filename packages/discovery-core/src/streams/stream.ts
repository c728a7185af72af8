import { onAbort } from "./abort-listener.ts";

/** Producer's side of a `Stream`. */
export interface Sink<T> {
  push(item: T): void;
  /** Ends the stream with an error, after the pushed items. */
  fail(error: unknown): void;
  /** Ends the stream, after the pushed items. */
  end(): void;
}

export interface StreamOptions<T> {
  /** Ends the stream with its reason when aborted. */
  readonly signal: AbortSignal;
  /** Ends the stream without error when aborted: the owner was disposed. */
  readonly closed: AbortSignal;
  /** Runs at the first `next()`; the returned function stops the producer once, at any ending. */
  readonly start: (sink: Sink<T>) => () => void;
  /** Adds an item to the queue of a slow consumer, oldest first; merges items so as to bound it. */
  readonly enqueue: (waiting: Map<string, T>, item: T) => void;
}

type Step<T> = IteratorResult<T, undefined>;

interface Reader<T> {
  readonly resolve: (step: Step<T>) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Iteration with three endings: `break`, abort, and disposal of its owner.
 *
 * It is no generator: a generator's `return()` waits for a pending `next()`, so that `break` would hang on a
 * silent medium. A failure is kept as a value until `next()` takes it, so that it never becomes an unhandled
 * rejection.
 */
export class Stream<T> implements AsyncIterableIterator<T, undefined> {
  readonly #options: StreamOptions<T>;
  readonly #waiting = new Map<string, T>();
  readonly #readers: Reader<T>[] = [];
  #state: "cold" | "running" | "ended" = "cold";
  #failure: { readonly error: unknown } | null = null;
  #stops: readonly (() => void)[] = [];

  constructor(options: StreamOptions<T>) {
    this.#options = options;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Step<T>> {
    if (this.#state === "cold") this.#start();
    const [first] = this.#waiting;
    if (first) {
      this.#waiting.delete(first[0]);
      return Promise.resolve({ done: false, value: first[1] });
    }
    if (this.#hasEnded()) return this.#lastStep();
    return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }));
  }

  return(): Promise<Step<T>> {
    this.#waiting.clear();
    this.#finish(null);
    this.#failure = null;
    return this.#lastStep();
  }

  #start(): void {
    const { signal, closed, start } = this.#options;
    if (signal.aborted) return this.#abort();
    if (closed.aborted) return this.#finish(null);
    this.#state = "running";
    this.#stops = [onAbort(signal, () => this.#abort()), onAbort(closed, () => this.#finish(null))];
    try {
      const stop = start({
        push: (item) => this.#push(item),
        fail: (error) => this.#finish({ error }),
        end: () => this.#finish(null),
      });
      if (this.#hasEnded()) stop();
      else this.#stops = [...this.#stops, stop];
    } catch (error) {
      this.#finish({ error });
    }
  }

  #hasEnded(): boolean {
    return this.#state === "ended";
  }

  #push(item: T): void {
    if (this.#hasEnded()) return;
    const reader = this.#readers.shift();
    if (reader) reader.resolve({ done: false, value: item });
    else this.#options.enqueue(this.#waiting, item);
  }

  #abort(): void {
    this.#waiting.clear();
    this.#finish({ error: this.#options.signal.reason });
  }

  #finish(failure: { readonly error: unknown } | null): void {
    if (this.#hasEnded()) return;
    this.#state = "ended";
    this.#failure = failure;
    for (const stop of this.#stops) stop();
    for (const reader of this.#readers.splice(0)) this.#lastStep().then(reader.resolve, reader.reject);
  }

  #lastStep(): Promise<Step<T>> {
    const failure = this.#failure;
    this.#failure = null;
    return failure ? Promise.reject(failure.error) : Promise.resolve({ done: true, value: undefined });
  }
}
