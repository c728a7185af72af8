import { type Cancellable, orAborted } from "@lmserv/discovery-core/transport";
import type { StoreContext } from "@lmserv/discovery-store";
import { failure, isBucketMissing } from "./error-mapping.ts";
import { ServerConnection } from "./server-connection.ts";
import type { Settings } from "./settings.ts";

/**
 * Watches until all values were reported, and leaves. A missing bucket counts as empty.
 *
 * @throws {DiscoveryError} as `Store.count`.
 */
export async function countValues(
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
