import type { Store } from "@lmserv/discovery-store";
import { NatsConnection } from "./connection.ts";
import { countValues } from "./count.ts";
import { type NatsStoreOptions, readSettings } from "./settings.ts";

/**
 * The buckets of a NATS system, one for each cluster, as a store for `fleet`.
 *
 * @throws {TypeError | RangeError} for options that cannot be.
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
