import { type DiscoveryError, isDiscoveryError } from "@lmserv/discovery-core";
import { silentLog, systemClock } from "@lmserv/discovery-core/transport";
import type { StoreConnection, StoreContext, Watcher } from "@lmserv/discovery-store";
import type { NatsStoreOptions } from "../src/settings.ts";
import { natsStore } from "../src/store.ts";

/** Upper deadline of a wait for an event, in ms. */
const patienceMs = 240_000;
/** The same for the server's state, which has to be polled. */
export const patience = { timeout: patienceMs, interval: 100 };

export interface Site extends AsyncDisposable {
  readonly connection: StoreConnection;
  /** Reports of the store. */
  readonly reports: readonly DiscoveryError[];
  readonly view: View;
}

export interface SiteOptions extends NatsStoreOptions {
  /** @default 2_000 */
  readonly lifetimeMs?: number;
}

/** Connects and watches; waits for a silent server, as a discovery does. */
export async function openSite({ lifetimeMs = 2_000, ...options }: SiteOptions): Promise<Site> {
  const reports: DiscoveryError[] = [];
  const context = contextOf(lifetimeMs, (error) => reports.push(error));
  const connection = await connectSomeTime(options, context);
  const view = new View();
  connection.watch(view);
  return { connection, reports, view, [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose]() };
}

async function connectSomeTime(options: NatsStoreOptions, context: StoreContext): Promise<StoreConnection> {
  const signal = AbortSignal.timeout(2 * patienceMs);
  for (;;) {
    try {
      return await natsStore(options).connect(context, { signal });
    } catch (error) {
      if (!isDiscoveryError(error) || error.code !== "MEDIUM_UNREACHABLE") throw error;
    }
  }
}

export function contextOf(lifetimeMs: number, report: (error: DiscoveryError) => void): StoreContext {
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

/** Present values of one watch, and the ended ones. */
export class View implements Watcher {
  readonly values = new Map<string, string>();
  readonly deleted: string[] = [];
  /** Count of completed readings. */
  passes = 0;
  /** Count of values at the first completion. */
  firstSize: number | null = null;
  readonly #waiting = new Set<() => void>();

  put(key: string, value: string): void {
    this.values.set(key, value);
    this.#look();
  }

  delete(key: string): void {
    this.values.delete(key);
    this.deleted.push(key);
    this.#look();
  }

  complete(present: Pick<ReadonlySet<string>, "has">): void {
    this.passes += 1;
    this.firstSize ??= this.values.size;
    for (const key of [...this.values.keys()]) if (!present.has(key)) this.delete(key);
    this.#look();
  }

  /** Resolves once `isSo` returns true. */
  async until(isSo: (view: View) => boolean, timeoutMs: number = patienceMs): Promise<void> {
    if (isSo(this)) return;
    await new Promise<void>((resolve, reject) => {
      const look = (): void => {
        if (!isSo(this)) return;
        clearTimeout(timer);
        this.#waiting.delete(look);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(look);
        reject(new Error(`after ${timeoutMs} ms it lists ${[...this.values.keys()]}`));
      }, timeoutMs);
      this.#waiting.add(look);
    });
  }

  /** Resolves once a reading was completed and exactly these keys are listed. */
  lists(keys: readonly string[]): Promise<void> {
    const wanted = [...keys].sort().join();
    return this.until(({ passes, values }) => passes > 0 && [...values.keys()].sort().join() === wanted);
  }

  #look(): void {
    for (const look of [...this.#waiting]) look();
  }
}
