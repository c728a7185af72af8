import type { Store } from "@lmserv/discovery-store";
import { NatsConnection } from "./connection.ts";
import { countValues } from "./count.ts";
import { type NatsStoreOptions, readSettings } from "./settings.ts";

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
