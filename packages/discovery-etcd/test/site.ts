import {
  createDiscovery,
  type Discovery,
  type DiscoveryErrorCode,
  type NodeInfo,
  type StandingAnnouncement,
} from "@lmserv/discovery-core";
import { expect, vi } from "vitest";
import { type EtcdOptions, etcd } from "../src/transport.ts";
import { CountingProxy } from "./counting-proxy.ts";
import { EtcdServer, patience, type ServerOptions } from "./etcd-server.ts";

/** Short, so that a fault and its mending fit into a test. */
export const lifetimeMs = 5_000;
let nextPort = 21_001;

/** What a test starts, and ends with it. */
export class Scene implements AsyncDisposable {
  readonly #started: AsyncDisposable[] = [];

  async add<T extends AsyncDisposable>(starting: Promise<T>): Promise<T> {
    const started = await starting;
    this.#started.push(started);
    return started;
  }

  etcd(options: ServerOptions = {}): Promise<EtcdServer> {
    return this.add(EtcdServer.start(options));
  }

  proxy(server: EtcdServer): Promise<CountingProxy> {
    return this.add(CountingProxy.open(server.url));
  }

  join(...args: Parameters<typeof Client.join>): Promise<Client> {
    return this.add(Client.join(...args));
  }

  /** Two that announce, and one that only watches. */
  async fleet(url: string, options: EtcdOptions = {}): Promise<readonly [Client, Client, Client]> {
    const all = { endpoints: [url], ...options };
    return [await this.join(all, "a"), await this.join(all, "b"), await this.join(all)];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const started of this.#started.splice(0).reverse()) await started[Symbol.asyncDispose]();
  }
}

/** One process in a fleet: it watches, and perhaps announces a node. */
export class Client implements AsyncDisposable {
  readonly discovery: Discovery;
  readonly node: StandingAnnouncement | null;
  /** Who was listed and is no longer. */
  readonly downs: string[] = [];

  private constructor(discovery: Discovery, node: StandingAnnouncement | null) {
    this.discovery = discovery;
    this.node = node;
    void this.#follow();
  }

  static async join(options: EtcdOptions, info: string | null = null, port = nextPort++): Promise<Client> {
    const transport = etcd({ lifetimeMs, addresses: ["127.0.0.1"], ...options });
    const discovery = await createDiscovery({ transports: [transport] });
    return new Client(discovery, info === null ? null : await discovery.announce({ port, info }));
  }

  get nodes(): readonly NodeInfo[] {
    return this.discovery.registry.listAlive();
  }

  /** Who is listed, by what people know them by; a star for those that are listed from memory. */
  get list(): readonly string[] {
    return this.nodes.map(({ info, sources }) => `${info}${sources.every(isStale) ? "*" : ""}`).sort();
  }

  get warnings(): readonly DiscoveryErrorCode[] {
    return this.discovery.warnings.map(({ code }) => code);
  }

  async #follow(): Promise<void> {
    for await (const { kind, node } of this.discovery.watch())
      if (kind === "down") this.downs.push(node.info);
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

/** Resolves when every client was warned of this. */
export async function allWarned(clients: readonly Client[], code: DiscoveryErrorCode): Promise<void> {
  for (const client of clients) await vi.waitFor(() => expect(client.warnings).toContain(code), patience);
}
