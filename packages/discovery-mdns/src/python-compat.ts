import {
  type Announcement,
  createDiscovery,
  type DiscoverOptions,
  type Discovery,
  type NodeInfo,
  type NodeRegistration,
} from "@lmserv/discovery-core";
import { type MdnsOptions, mdns } from "./transport.ts";

export interface DiscoverNodesOptions extends MdnsOptions {
  /** Duration of the search in ms. @default 2_000 */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface NodeRegistryOptions extends DiscoverNodesOptions {
  /** Time that a node stays listed without a confirmation, in ms. @default 60_000 */
  readonly ttlMs?: number;
}

/** Nodes of this LAN, kept current until disposal. */
export interface NodeRegistry extends AsyncDisposable {
  listAlive(): readonly NodeInfo[];
}

/**
 * Announces this machine's server on the LAN and resolves when the announcement was sent. Disposal says
 * goodbye.
 *
 * @throws {TypeError | RangeError} for a node that cannot be announced.
 */
export async function announceSelf(
  node: Announcement,
  options: MdnsOptions & { readonly signal?: AbortSignal } = {},
): Promise<NodeRegistration> {
  const discovery = await open(options);
  try {
    const registration = await discovery.announce(node, options.signal && { signal: options.signal });
    return { ...registration, [Symbol.asyncDispose]: () => discovery[Symbol.asyncDispose]() };
  } catch (error) {
    await discovery[Symbol.asyncDispose]();
    throw error;
  }
}

/** Searches for `timeoutMs` and resolves with every node that answered. */
export async function discoverNodes(options: DiscoverNodesOptions = {}): Promise<readonly NodeInfo[]> {
  const discovery = await open(options);
  try {
    return await discovery.discover(lookOf(options));
  } finally {
    await discovery[Symbol.asyncDispose]();
  }
}

/**
 * Resolves after a first search of `timeoutMs` with a list that refreshes itself.
 *
 * Nothing is sent before the call. The list keeps the process alive until it is disposed.
 */
export async function registry(options: NodeRegistryOptions = {}): Promise<NodeRegistry> {
  const discovery = await open(options);
  try {
    await discovery.discover(lookOf(options));
  } catch (error) {
    await discovery[Symbol.asyncDispose]();
    throw error;
  }
  return {
    listAlive: () => discovery.registry.listAlive(),
    [Symbol.asyncDispose]: () => discovery[Symbol.asyncDispose](),
  };
}

const scanMs = 2_000;

function lookOf({ timeoutMs = scanMs, signal }: DiscoverNodesOptions): DiscoverOptions {
  return { timeoutMs, ...(signal && { signal }) };
}

function open({ ttlMs, signal, ...transport }: NodeRegistryOptions): Promise<Discovery> {
  const { timeoutMs, ...options } = transport;
  return createDiscovery({
    transports: [mdns(options)],
    ...(ttlMs !== undefined && { ttlMs }),
    ...(signal && { signal }),
  });
}
