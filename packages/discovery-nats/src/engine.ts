import type { Engine } from "@lmserv/discovery-fleet";
import { NatsConnection } from "./connection.ts";
import { countValues } from "./count.ts";
import { type NatsEngineOptions, readSettings } from "./settings.ts";

/**
 * The buckets of a NATS system, one for each cluster, as an engine for `fleet`.
 *
 * @throws {TypeError | RangeError} for options that cannot be.
 */
export function natsEngine(options: NatsEngineOptions = {}): Engine {
  const settings = readSettings(options);
  return {
    type: "nats",
    place: settings.endpoints.join(", "),
    count: (context, cancellable) => countValues(settings, context, cancellable),
    connect: (context, cancellable) => NatsConnection.open(settings, context, cancellable),
  };
}
