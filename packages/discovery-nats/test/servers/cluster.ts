import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { vi } from "vitest";
import { freePort } from "../../../discovery-store/test/free-port.ts";
import { patience } from "../site.ts";
import { NatsServer } from "./server.ts";

/** Servers that keep their buckets together. */
export class NatsCluster implements AsyncDisposable {
  readonly #servers: readonly NatsServer[];

  static async start(size: number): Promise<NatsCluster> {
    const ports = await Promise.all(Array.from({ length: size }, freePort));
    const routes = ports.map((port) => `"nats://127.0.0.1:${port}"`).join(", ");
    const servers = await Promise.all(
      ports.map((port, index) =>
        NatsServer.start({
          config: `server_name: "n${index}"\ncluster { name: "tests", listen: "127.0.0.1:${port}", routes: [${routes}] }`,
        }),
      ),
    );
    const cluster = new NatsCluster(servers);
    await cluster.#ask((manager) => manager.getAccountInfo());
    return cluster;
  }

  private constructor(servers: readonly NatsServer[]) {
    this.#servers = servers;
  }

  get urls(): readonly string[] {
    return this.#servers.map(({ url }) => url);
  }

  /** Index of the server that leads a bucket. */
  async leaderOf(bucket: string): Promise<number> {
    const { cluster } = await this.#ask((manager) => manager.streams.info(`KV_${bucket}`));
    return Number(cluster?.leader?.slice(1) ?? 0);
  }

  /** Number of a key's value in the bucket. */
  async sequenceOf(bucket: string, key: string): Promise<number> {
    const query = { last_by_subj: `$KV.${bucket}.${key}` };
    const found = await this.#ask((manager) => manager.streams.getMessage(`KV_${bucket}`, query));
    return found?.seq ?? 0;
  }

  async kill(index: number): Promise<void> {
    await this.#servers[index]?.kill();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#servers.map((server) => server[Symbol.asyncDispose]()));
  }

  /** Asks until a server answers, which none does during an election. */
  async #ask<T>(question: (manager: JetStreamManager) => Promise<T>): Promise<T> {
    return vi.waitFor(async () => {
      await using link = await this.#connect();
      return await question(await jetstreamManager(link.connection, { timeout: 1_000 }));
    }, patience);
  }

  async #connect() {
    const connection = await connect({ servers: [...this.urls], timeout: 2_000 });
    return { connection, [Symbol.asyncDispose]: () => connection.close() };
  }
}
