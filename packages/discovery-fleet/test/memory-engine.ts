import type { Sink } from "@lmserv/discovery-core";
import {
  type Engine,
  type EngineConnection,
  type EngineContext,
  type EngineEntry,
  type EngineEvent,
  engineStream,
} from "../src/index.ts";

/** An engine that says what the test wants, and remembers what it is told to keep. */
export class MemoryEngine implements Engine {
  readonly type = "memory";
  readonly place = "here";
  /** What is kept now, by key; and whatever was ever put, in order. */
  readonly kept = new Map<string, string>();
  readonly puts: string[] = [];
  context: EngineContext | null = null;
  #sinks = new Set<Sink<EngineEvent>>();

  say(event: EngineEvent): void {
    for (const sink of this.#sinks) sink.push(event);
  }

  snapshot(...entries: readonly EngineEntry[]): void {
    this.say({ kind: "snapshot", entries });
  }

  async count(): Promise<number> {
    return this.kept.size;
  }

  async connect(context: EngineContext): Promise<EngineConnection> {
    this.context = context;
    const closing = new AbortController();
    const keep = (key: string, value: string): void => {
      this.kept.set(key, value);
      this.puts.push(value);
    };
    return {
      watch: ({ signal }) =>
        engineStream({
          signal,
          closed: closing.signal,
          start: (sink) => {
            this.#sinks.add(sink);
            return () => this.#sinks.delete(sink);
          },
        }),
      hold: async (key, value) => {
        keep(key, value);
        return {
          put: async (changed) => keep(key, changed),
          [Symbol.asyncDispose]: async () => void this.kept.delete(key),
        };
      },
      [Symbol.asyncDispose]: async () => closing.abort(),
    };
  }
}
