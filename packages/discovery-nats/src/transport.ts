import { assertOptions, type Transport } from "@lmserv/discovery-core/transport";
import { type StoreOptions, storeShapes, storeTransport } from "@lmserv/discovery-store";
import { configurable } from "./configurable.ts";
import type { NatsStoreOptions } from "./settings.ts";
import { natsStore } from "./store.ts";

export interface NatsOptions extends StoreOptions, NatsStoreOptions {}

/**
 * Fleets of some thousand: finds and announces nodes through NATS 2.9 or newer, in a bucket of JetStream for each
 * cluster.
 *
 * The first one who needs the bucket makes it with its `lifetimeMs`; whoever comes later goes by the bucket's.
 *
 * @throws {TypeError | RangeError} for options that cannot be.
 */
export function nats(options: NatsOptions = {}): Transport {
  assertOptions("nats", options, { ...storeShapes, ...configurable });
  const { endpoints, credentials, nkey, user, password, token, ca, tls, replicas, inboxPrefix, ...shared } =
    options;
  return storeTransport(natsStore(options), shared);
}
