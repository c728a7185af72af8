import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { freePort, NatsServer } from "./server.ts";

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
    await cluster.#ready();
    return cluster;
  }

  private constructor(servers: readonly NatsServer[]) {
    this.#servers = servers;
  }

  get urls(): readonly string[] {
    return this.#servers.map(({ url }) => url);
  }

  /** Which server leads the others in what a bucket holds. */
  async leaderOf(bucket: string): Promise<number> {
    const connection = await connect({ servers: [...this.urls] });
    try {
      const manager = await jetstreamManager(connection);
      const { cluster } = await manager.streams.info(`KV_${bucket}`);
      return Number(cluster?.leader?.slice(1) ?? 0);
    } finally {
      await connection.close();
    }
  }

  async kill(index: number): Promise<void> {
    await this.#servers[index]?.kill();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#servers.map((server) => server[Symbol.asyncDispose]()));
  }

  /** Until they have agreed on who leads, JetStream answers nobody. */
  async #ready(): Promise<void> {
    const connection = await connect({ servers: [...this.urls] });
    try {
      for (let attempt = 0; ; attempt += 1) {
        try {
          await jetstreamManager(connection, { timeout: 1_000 });
          return;
        } catch (error) {
          if (attempt === 30) throw error;
          await new Promise((resolve) => setTimeout(resolve, 200));
        }
      }
    } finally {
      await connection.close();
    }
  }
}
