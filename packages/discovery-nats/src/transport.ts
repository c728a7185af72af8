import { assertOptions, type Transport } from "@lmserv/discovery-core/transport";
import { type StoreOptions, storeShapes, storeTransport } from "@lmserv/discovery-store";
import { configurable } from "./configurable.ts";
import type { NatsStoreOptions } from "./settings.ts";
import { natsStore } from "./store.ts";

export interface NatsOptions extends StoreOptions, NatsStoreOptions {}

/**
 * Finds and announces nodes through NATS 2.9 or newer, in a bucket of JetStream for each cluster; for fleets
 * of some thousand.
 *
 * The first process that needs the bucket makes it with its `lifetimeMs`; later ones adopt the bucket's.
 *
 * @throws {TypeError | RangeError} for options of a wrong type or out of range.
 */
export function nats(options: NatsOptions = {}): Transport {
  assertOptions("nats", options, { ...storeShapes, ...configurable });
  const { endpoints, credentials, nkey, user, password, token, ca, tls, replicas, inboxPrefix, ...shared } =
    options;
  return storeTransport(natsStore(options), shared);
}
