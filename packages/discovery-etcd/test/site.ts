import { allList, allWarned, Client } from "../../discovery-store/test/client.ts";
import { type EtcdOptions, etcd } from "../src/transport.ts";
import { CountingProxy } from "./servers/counting-proxy.ts";
import { EtcdServer, type ServerOptions } from "./servers/server.ts";

export { allList, allWarned, type Client };

/** Short, so that a fault and its repair fit into a test. */
export const lifetimeMs = 5_000;

/** Processes and servers of a test, ended with it. */
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

  join(options: EtcdOptions, info: string | null = null, ttlMs?: number): Promise<Client> {
    const transport = etcd({ lifetimeMs, addresses: ["127.0.0.1"], ...options });
    return this.add(Client.join(transport, info, ttlMs));
  }

  /** Two announcers and a mere watcher. */
  async clients(url: string, options: EtcdOptions = {}): Promise<readonly [Client, Client, Client]> {
    const all = { endpoints: [url], ...options };
    return [await this.join(all, "a"), await this.join(all, "b"), await this.join(all)];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const started of this.#started.splice(0).reverse()) await started[Symbol.asyncDispose]();
  }
}
