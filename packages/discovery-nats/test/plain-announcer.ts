import { jetstream } from "@nats-io/jetstream";
import { type KV, Kvm } from "@nats-io/kv";
import { type ConnectionOptions, connect, type NatsConnection } from "@nats-io/transport-node";

/** Writes to a bucket with the client alone, so that our code does not testify for itself. */
export class PlainAnnouncer implements AsyncDisposable {
  readonly #connection: NatsConnection;
  readonly kv: KV;
  readonly #timers = new Map<string, NodeJS.Timeout>();

  static async open(
    servers: string | readonly string[],
    bucket: string,
    options: ConnectionOptions = {},
  ): Promise<PlainAnnouncer> {
    const connection = await connect({ servers: [servers].flat(), ...options });
    return new PlainAnnouncer(connection, await new Kvm(jetstream(connection)).open(bucket));
  }

  /** Makes a bucket as a foreign program would. */
  static async make(server: string, bucket: string, maxAgeMs: number): Promise<PlainAnnouncer> {
    const connection = await connect({ servers: server });
    return new PlainAnnouncer(
      connection,
      await new Kvm(jetstream(connection)).create(bucket, { ttl: maxAgeMs }),
    );
  }

  private constructor(connection: NatsConnection, kv: KV) {
    this.#connection = connection;
    this.kv = kv;
  }

  /** Puts a value now, and again every `renewMs`. */
  async appear(key: string, value: string | Uint8Array, renewMs: number): Promise<void> {
    this.vanish(key);
    await this.kv.put(key, value);
    this.#timers.set(
      key,
      setInterval(() => this.kv.put(key, value).catch(() => {}), renewMs),
    );
  }

  /** Stops the renewals, as a crash does. */
  vanish(key: string): void {
    clearInterval(this.#timers.get(key));
    this.#timers.delete(key);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const key of [...this.#timers.keys()]) this.vanish(key);
    await this.#connection.close();
  }
}
