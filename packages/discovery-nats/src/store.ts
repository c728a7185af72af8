import { type Cancellable, orAborted } from "@lmserv/discovery-core/transport";
import type { Store, StoreContext } from "@lmserv/discovery-store";
import { NatsConnection } from "./connection.ts";
import { failure, isBucketMissing } from "./error-mapping.ts";
import { ServerConnection } from "./server-connection.ts";
import { type NatsStoreOptions, readSettings, type Settings } from "./settings.ts";

/**
 * Buckets of a NATS system, one for each cluster, as a store.
 *
 * @throws {TypeError | RangeError} for options of a wrong type or out of range.
 */
export function natsStore(options: NatsStoreOptions = {}): Store {
  const settings = readSettings(options);
  return {
    type: "nats",
    place: settings.endpoints.join(", "),
    count: (context, cancellable) => countValues(settings, context, cancellable),
    connect: (context, cancellable) => NatsConnection.open(settings, context, cancellable),
  };
}

/**
 * Watches until all values were reported, and leaves. A missing bucket counts as empty.
 *
 * @throws {DiscoveryError} as `Store.count`.
 */
async function countValues(
  settings: Settings,
  context: StoreContext,
  { signal }: Cancellable,
): Promise<number> {
  try {
    await using link = await ServerConnection.open(settings, context, { signal, mayMakeBucket: false });
    return await countIn(link, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (isBucketMissing(error)) return 0;
    throw failure(error, { place: settings.endpoints.join(", "), via: context.via });
  }
}

function countIn(link: ServerConnection, signal: AbortSignal): Promise<number> {
  const keys = new Set<string>();
  const forget = (key: string): void => {
    keys.delete(key);
  };
  const counting = new Promise<number>((resolve, reject) => {
    link.ended.then(reject);
    link
      .watch({
        begin: () => {},
        put: (key) => keys.add(key),
        delete: forget,
        expired: forget,
        heard: () => {},
        complete: () => resolve(keys.size),
        broken: reject,
      })
      .catch(reject);
  });
  return orAborted(counting, signal);
}
