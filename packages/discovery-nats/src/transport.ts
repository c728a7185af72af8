import { assertOptions, type Transport } from "@lmserv/discovery-core/transport";
import { type FleetOptions, fleet, fleetShapes } from "@lmserv/discovery-fleet";
import { configurable } from "./configurable.ts";
import { natsEngine } from "./engine.ts";
import type { NatsEngineOptions } from "./settings.ts";

export interface NatsOptions extends FleetOptions, NatsEngineOptions {}

/**
 * Fleets of some thousand: finds and announces nodes through NATS 2.9 or newer, in a bucket of JetStream for each
 * cluster.
 *
 * The first one who needs the bucket makes it with its `lifetimeMs`; whoever comes later goes by the bucket's.
 *
 * @throws {TypeError | RangeError} for options that cannot be.
 */
export function nats(options: NatsOptions = {}): Transport {
  assertOptions("nats", options, { ...fleetShapes, ...configurable });
  const { endpoints, credentials, nkey, user, password, token, ca, tls, replicas, inboxPrefix, ...shared } =
    options;
  return fleet(natsEngine(options), shared);
}
