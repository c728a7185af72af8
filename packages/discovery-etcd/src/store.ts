import type { Cancellable } from "@lmserv/discovery-core/transport";
import {
  passwordExposed,
  type Store,
  type StoreConnection,
  type StoreContext,
} from "@lmserv/discovery-store";
import { type Credentials, EtcdClient } from "./client.ts";
import { EtcdConnection } from "./connection.ts";
import { ErrorMapping } from "./error-mapping.ts";
import { scalarText } from "./etcd-error.ts";
import type { TlsOptions } from "./gateway.ts";
import { Keyspace } from "./keyspace.ts";
import { timingOf } from "./timing.ts";

export interface EtcdStoreOptions {
  readonly endpoints: readonly URL[];
  readonly credentials: Credentials | null;
  readonly tls: TlsOptions;
  /** Ends with a slash. */
  readonly prefix: string;
}

/** First version whose gateway has the path `/v3`. */
const oldest = [3, 4] as const;

/** Server that accepted us. */
interface Entrance {
  readonly client: EtcdClient;
  readonly keyspace: Keyspace;
  readonly errorMapping: ErrorMapping;
  /** Count of the cluster's values. */
  readonly count: number;
}

/** etcd 3.4 or newer, over its JSON gateway. */
export class EtcdStore implements Store {
  readonly type = "etcd";
  readonly place: string;
  readonly #options: EtcdStoreOptions;

  constructor(options: EtcdStoreOptions) {
    this.#options = options;
    this.place = options.endpoints.map(({ origin }) => origin).join(", ");
  }

  async connect(context: StoreContext, options: Cancellable): Promise<StoreConnection> {
    const { credentials, endpoints } = this.#options;
    const plain = endpoints.filter(({ protocol }) => protocol === "http:").map(({ hostname }) => hostname);
    const exposed = credentials && passwordExposed({ type: "etcd", via: context.via }, plain, "https");
    if (exposed) context.report(exposed);
    const { client, keyspace, errorMapping } = await this.#enter(context, options);
    return new EtcdConnection(context, client, keyspace, errorMapping);
  }

  async count(context: StoreContext, options: Cancellable): Promise<number> {
    const { client, count } = await this.#enter(context, options);
    client.close();
    return count;
  }

  async #enter(context: StoreContext, { signal }: Cancellable): Promise<Entrance> {
    const { endpoints, credentials, tls, prefix } = this.#options;
    const { clock, random, via, cluster, lifetimeMs } = context;
    const timing = timingOf(lifetimeMs);
    const client = new EtcdClient({ clock, random, endpoints, credentials, tls, timing });
    const keyspace = new Keyspace(prefix, cluster);
    const errorMapping = new ErrorMapping(via, this.place, credentials?.user ?? null, keyspace.prefix);
    try {
      const version = await client.version(signal);
      if (isOld(version)) {
        const text = `it is version ${version}, which is too old: 3.4 or newer is needed`;
        throw errorMapping.say("TRANSPORT_UNAVAILABLE", text);
      }
      // Proves that the server accepts us.
      const { count = 0 } = await client.call(
        "/v3/kv/range",
        { ...keyspace.range, count_only: true },
        signal,
      );
      return { client, keyspace, errorMapping, count: Number(scalarText(count)) };
    } catch (error) {
      client.close();
      if (signal.aborted) throw signal.reason;
      throw errorMapping.of(error, "TRANSPORT_UNAVAILABLE");
    }
  }
}

function isOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major < oldest[0] || (major === oldest[0] && minor < oldest[1]);
}
