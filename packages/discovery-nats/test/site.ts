import { type DiscoveryError, isDiscoveryError, silentLog, systemClock } from "@lmserv/discovery-core";
import type { EngineConnection, EngineContext, EngineEvent } from "@lmserv/discovery-fleet";
import { natsEngine } from "../src/engine.ts";
import type { NatsEngineOptions } from "../src/settings.ts";

/** What tests wait at most for what must happen, in ms. */
const patienceMs = 240_000;
/** The same for what only the server knows, which has to be asked. */
export const patience = { timeout: patienceMs, interval: 100 };

export interface Client extends AsyncDisposable {
  readonly connection: EngineConnection;
  /** What the engine reported. */
  readonly reports: readonly DiscoveryError[];
  readonly view: View;
}

export interface ClientOptions extends NatsEngineOptions {
  /** @default 2_000 */
  readonly lifetimeMs?: number;
}

/** Connects and watches; waits, as a discovery does, for a server that does not answer. */
export async function openClient({ lifetimeMs = 2_000, ...options }: ClientOptions): Promise<Client> {
  const reports: DiscoveryError[] = [];
  const context = contextOf(lifetimeMs, (error) => reports.push(error));
  const connection = await connectSomeTime(options, context);
  const view = new View(connection);
  return {
    connection,
    reports,
    view,
    async [Symbol.asyncDispose]() {
      await connection[Symbol.asyncDispose]();
      await view.ended;
    },
  };
}

async function connectSomeTime(
  options: NatsEngineOptions,
  context: EngineContext,
): Promise<EngineConnection> {
  const signal = AbortSignal.timeout(2 * patienceMs);
  for (;;) {
    try {
      return await natsEngine(options).connect(context, { signal });
    } catch (error) {
      if (!isDiscoveryError(error) || error.code !== "MEDIUM_UNREACHABLE") throw error;
    }
  }
}

export function contextOf(lifetimeMs: number, report: (error: DiscoveryError) => void): EngineContext {
  return {
    via: "nats",
    cluster: "tests",
    lifetimeMs,
    clock: systemClock,
    random: Math.random,
    log: silentLog,
    report,
  };
}

/** What one watch says is there, and everything it said. */
export class View {
  readonly events: EngineEvent[] = [];
  readonly values = new Map<string, string>();
  /** Resolves when the watch ended; rejects with its failure. */
  readonly ended: Promise<void>;
  isLost = true;
  readonly #waiting = new Set<() => void>();

  constructor(connection: EngineConnection, signal: AbortSignal = new AbortController().signal) {
    this.ended = this.#follow(connection.watch({ signal }));
    this.ended.catch(() => {});
  }

  /** How many times something was said to be gone, or all to be unknown. */
  count(kind: EngineEvent["kind"]): number {
    return this.events.filter((event) => event.kind === kind).length;
  }

  /** Resolves with the time it took, in ms, once `isSo`. */
  async until(isSo: (view: View) => boolean, timeoutMs: number = patienceMs): Promise<number> {
    const startMs = performance.now();
    if (!isSo(this)) {
      await new Promise<void>((resolve, reject) => {
        const look = (): void => {
          if (!isSo(this)) return;
          clearTimeout(timer);
          this.#waiting.delete(look);
          resolve();
        };
        const timer = setTimeout(() => {
          this.#waiting.delete(look);
          const said = this.events.slice(-8).map((event) => JSON.stringify(event).slice(0, 120));
          reject(
            new Error(
              `after ${timeoutMs} ms it lists ${[...this.values.keys()]}; last said:\n${said.join("\n")}`,
            ),
          );
        }, timeoutMs);
        this.#waiting.add(look);
      });
    }
    return performance.now() - startMs;
  }

  /** Resolves once exactly these keys are listed, and not as of old. */
  lists(keys: readonly string[], timeoutMs?: number): Promise<number> {
    const wanted = [...keys].sort().join();
    return this.until((view) => !view.isLost && [...view.values.keys()].sort().join() === wanted, timeoutMs);
  }

  async #follow(events: AsyncIterable<EngineEvent>): Promise<void> {
    for await (const event of events) {
      this.events.push(event);
      this.#take(event);
      for (const look of [...this.#waiting]) look();
    }
  }

  #take(event: EngineEvent): void {
    this.isLost = event.kind === "lost";
    if (event.kind === "snapshot") {
      this.values.clear();
      for (const { key, value } of event.entries) this.values.set(key, value);
    }
    if (event.kind === "put") this.values.set(event.key, event.value);
    if (event.kind === "delete") this.values.delete(event.key);
  }
}
