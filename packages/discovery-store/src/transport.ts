import { hostname } from "node:os";
import { DiscoveryError } from "@lmserv/discovery-core";
import {
  assertOptions,
  isLoopback,
  type Transport,
  toDiscoveryError,
} from "@lmserv/discovery-core/transport";
import { isHostAddress, readSystem, thisMachine } from "@lmserv/discovery-network";
import {
  assertClusterName,
  copiedKeyAdvice,
  ephemeralIdentity,
  type Identity,
} from "@lmserv/discovery-signing";
import { diagnose } from "./diagnosis.ts";
import type { Platform } from "./local-network.ts";
import { StoreSession } from "./session.ts";
import { storeShapes } from "./settings.ts";
import { maxEntries, type Store, type StoreConnection } from "./store.ts";

/** Options of a fleet, for every store. */
export interface StoreOptions {
  /** Fleet within the store, 1..64 visible ASCII characters. @default "default" */
  readonly cluster?: string;
  /**
   * Time for which others list a dead node, in ms, 2_000..86_400_000. Each node writes to the store about
   * three times in it.
   *
   * @default 30_000
   */
  readonly lifetimeMs?: number;
  /**
   * Signing identity: a node with the key's id is proven to be its owner. @default one that ends with the
   * session
   */
  readonly identity?: Identity | (() => Promise<Identity>);
  /** Addresses of this process's nodes, at most 16. @default the addresses of this machine */
  readonly addresses?: readonly string[];
  /** Bound on followed nodes, 1..10_000. @default 10_000 */
  readonly maxNodes?: number;
  /** Name in a composition. @default the store's type */
  readonly name?: string;
}

const defaultLifetimeMs = 30_000;

const ownMachine: Platform = { system: readSystem, hostname, mark: thisMachine };

/**
 * Finds and announces nodes through a store that others run.
 *
 * @throws {TypeError | RangeError} for options of a wrong type or out of range.
 */
export function storeTransport(store: Store, options: StoreOptions = {}): Transport {
  return storeTransportOn(ownMachine, store, options);
}

/** The transport on any machine, such as one that a test makes. */
export function storeTransportOn(machine: Platform, store: Store, options: StoreOptions = {}): Transport {
  assertOptions("store", options, storeShapes);
  const { cluster = "default", lifetimeMs = defaultLifetimeMs, maxNodes = maxEntries } = options;
  const { name = store.type, addresses = null } = options;
  assertClusterName(cluster);
  if (addresses) assertAddresses(addresses);
  const shared = { name, cluster, lifetimeMs, maxNodes, addresses };
  return {
    name,
    diagnose({ clock, random, log }, cancellable) {
      const report = (): void => {};
      return diagnose(store, { via: name, cluster, lifetimeMs, clock, random, log, report }, cancellable);
    },
    async open(context, { signal }) {
      signal.throwIfAborted();
      const { clock, random, log } = context;
      const own = typeof options.identity === "function" ? await options.identity() : options.identity;
      const identity = own ?? ephemeralIdentity(clock.wall());
      const report = (error: DiscoveryError): void => context.report(withAdvice(error, identity));
      const connection = await store
        .connect({ via: name, cluster, lifetimeMs, clock, random, log, report }, { signal })
        .catch((error: unknown): StoreConnection => {
          if (signal.aborted) throw signal.reason;
          throw toDiscoveryError(error, "TRANSPORT_UNAVAILABLE", name);
        });
      if (signal.aborted) {
        await connection[Symbol.asyncDispose]();
        throw signal.reason;
      }
      return new StoreSession(context, { ...shared, identity }, connection, machine);
    },
  };
}

/** A store sees an overwritten value, but knows nothing of keys. */
function withAdvice(error: DiscoveryError, identity: Identity): DiscoveryError {
  const { code, message, via, cause } = error;
  if (code !== "NAME_CONFLICT") return error;
  return new DiscoveryError(code, `${message}; ${copiedKeyAdvice(identity)}`, { via, cause });
}

function assertAddresses(addresses: readonly string[]): void {
  const wrong = addresses.find(
    (address) => address.includes("%") || !(isHostAddress(address) || isLoopback(address)),
  );
  if (wrong === undefined) return;
  throw new RangeError(`addresses holds ${JSON.stringify(wrong)}, which no host can have as its address`);
}
