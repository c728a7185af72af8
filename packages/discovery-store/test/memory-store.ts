import { DiscoveryError, type DiscoveryErrorCode } from "@lmserv/discovery-core";
import type { Store, StoreConnection, StoreContext, Watcher } from "../src/index.ts";

/** Store in this process under the test's control, with its connections. */
export class MemoryStore implements Store {
  readonly type = "memory";
  readonly place = "here";
  /** Present values by key, and all puts of connections in order. */
  readonly kept = new Map<string, string>();
  readonly puts: string[] = [];
  context: StoreContext | null = null;
  /** True if connections are refused. */
  isAbsent = false;
  readonly #watchers = new Set<Watcher>();
  readonly #losses = new Set<(error: DiscoveryError) => void>();

  put(key: string, value: string): void {
    this.kept.set(key, value);
    for (const watcher of this.#watchers) watcher.put(key, value);
  }

  delete(key: string, wasRemoved = false): void {
    this.kept.delete(key);
    for (const watcher of this.#watchers) watcher.delete(key, wasRemoved);
  }

  /** Reports all values as after a gap. */
  reread(): void {
    for (const watcher of this.#watchers) this.#tellAll(watcher);
  }

  /** Ends every connection. */
  lose(code: DiscoveryErrorCode = "MEDIUM_UNREACHABLE"): void {
    this.#watchers.clear();
    for (const lose of [...this.#losses]) lose(new DiscoveryError(code, "gone", { via: "memory" }));
  }

  async count(): Promise<number> {
    return this.kept.size;
  }

  async connect(context: StoreContext): Promise<StoreConnection> {
    if (this.isAbsent) throw new DiscoveryError("MEDIUM_UNREACHABLE", "absent", { via: "memory" });
    this.context = context;
    let own: Watcher | null = null;
    let isOver = false;
    const put = (key: string, value: string): void => {
      this.puts.push(value);
      this.put(key, value);
    };
    const lost = new Promise<DiscoveryError>((resolve) => {
      const lose = (error: DiscoveryError): void => {
        this.#losses.delete(lose);
        isOver = true;
        resolve(error);
      };
      this.#losses.add(lose);
    });
    return {
      lost,
      watch: (watcher) => {
        own = watcher;
        this.#watchers.add(watcher);
        this.#tellAll(watcher);
      },
      hold: async (key, value) => {
        put(key, value);
        return {
          put: async (changed) => {
            if (!isOver) put(key, changed);
          },
          [Symbol.asyncDispose]: async () => {
            if (!isOver) this.delete(key, true);
          },
        };
      },
      [Symbol.asyncDispose]: async () => {
        if (own) this.#watchers.delete(own);
      },
    };
  }

  #tellAll(watcher: Watcher): void {
    for (const [key, value] of this.kept) watcher.put(key, value);
    watcher.complete(new Set(this.kept.keys()));
  }
}
