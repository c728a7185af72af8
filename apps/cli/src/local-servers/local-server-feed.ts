import { Stream } from "@lmserv/discovery-core/transport";
import type { LocalServerChange } from "./local-server.ts";
import { keyOfChange } from "./local-servers.ts";

interface Reader {
  readonly push: (change: LocalServerChange) => void;
  readonly fail: (error: unknown) => void;
}

/** Passes the changes of one watch of this machine's servers on to several readers. */
export class LocalServerFeed {
  readonly #readers = new Set<Reader>();
  /** Latest change of each port with a server, or with none so far. */
  readonly #latest = new Map<number, LocalServerChange>();
  #failure: { readonly error: unknown } | null = null;

  /**
   * Resolves when the changes have ended; a failure of theirs reaches every reader.
   *
   * @param signal - Ends the changes; each reader goes on until its own signal aborts.
   */
  async follow(changes: AsyncIterable<LocalServerChange>, signal: AbortSignal): Promise<void> {
    try {
      for await (const change of changes) this.#take(change);
    } catch (error) {
      if (signal.aborted) return;
      this.#failure = { error };
      for (const { fail } of this.#readers) fail(error);
    }
  }

  /** Yields every change, that of each present server first; rejects when `signal` aborts. */
  read(signal: AbortSignal): AsyncIterable<LocalServerChange> {
    return new Stream<LocalServerChange>({
      signal,
      closed: new AbortController().signal,
      enqueue: (waiting, change) => waiting.set(keyOfChange(change), change),
      start: ({ push, fail }) => {
        const reader = { push, fail };
        for (const change of this.#latest.values()) {
          push("server" in change ? { ...change, kind: "up" } : change);
        }
        if (this.#failure) fail(this.#failure.error);
        this.#readers.add(reader);
        return () => this.#readers.delete(reader);
      },
    });
  }

  #take(change: LocalServerChange): void {
    const port = "server" in change ? change.server.port : change.port;
    if (change.kind === "down") this.#latest.delete(port);
    else this.#latest.set(port, change);
    for (const { push } of this.#readers) push(change);
  }
}
