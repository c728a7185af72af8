import {
  createDiscovery,
  type Discovery,
  type DiscoveryErrorCode,
  type NodeInfo,
  type NodeRegistration,
} from "@lmserv/discovery-core";
import type { Transport } from "@lmserv/discovery-core/transport";
import { expect, vi } from "vitest";

/** Upper deadline of a wait for an event, in ms. */
export const patience = { timeout: 240_000, interval: 20 };

let nextPort = 21_001;

/** Process in a fleet that watches, and perhaps announces a node. */
export class Client implements AsyncDisposable {
  readonly discovery: Discovery;
  readonly node: NodeRegistration | null;
  /** Infos of nodes that left the list. */
  readonly downs: string[] = [];
  /** Changes of the list, each with its kind and the node's info. */
  readonly changes: string[] = [];

  private constructor(discovery: Discovery, node: NodeRegistration | null) {
    this.discovery = discovery;
    this.node = node;
    void this.#follow();
  }

  /** @param ttlMs - Half of the grace after a loss; by default long enough for a busy machine. */
  static async join(transport: Transport, info: string | null, ttlMs = 120_000): Promise<Client> {
    const discovery = await createDiscovery({ transports: [transport], ttlMs });
    return new Client(discovery, info === null ? null : await discovery.announce({ port: nextPort++, info }));
  }

  get nodes(): readonly NodeInfo[] {
    return this.discovery.registry.listAlive();
  }

  /** Infos of the listed nodes; a star marks those with stale sources only. */
  get list(): readonly string[] {
    return this.nodes.map(({ info, sources }) => `${info}${sources.every(isStale) ? "*" : ""}`).sort();
  }

  get warnings(): readonly DiscoveryErrorCode[] {
    return this.discovery.warnings.map(({ code }) => code);
  }

  get messages(): readonly string[] {
    return this.discovery.warnings.map(({ code, message }) => `${code} ${message}`);
  }

  async #follow(): Promise<void> {
    for await (const { kind, node } of this.discovery.watch()) {
      this.changes.push(`${kind} ${node.info}`);
      if (kind === "down") this.downs.push(node.info);
    }
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.discovery[Symbol.asyncDispose]();
  }
}

function isStale({ stale }: NodeInfo["sources"][number]): boolean {
  return stale !== null;
}

/** Resolves when every client lists exactly these. */
export async function allList(clients: readonly Client[], ...expected: readonly string[]): Promise<void> {
  const wanted = [...expected].sort();
  for (const client of clients) await vi.waitFor(() => expect(client.list).toEqual(wanted), patience);
}

/** Resolves when every client received this warning. */
export async function allWarned(clients: readonly Client[], code: DiscoveryErrorCode): Promise<void> {
  for (const client of clients) await vi.waitFor(() => expect(client.warnings).toContain(code), patience);
}

export function downsOf(clients: readonly Client[]): readonly string[] {
  return clients.flatMap(({ downs }) => downs);
}
