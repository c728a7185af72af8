import {
  identityShape,
  nameShape,
  type OptionShape,
  type OptionShapes,
} from "@lmserv/discovery-core/transport";
import { maxEntries } from "./store.ts";
import type { StoreOptions } from "./transport.ts";

/** Settings of a fleet in a configuration file, for every store. */
export type StoreSettings = Pick<StoreOptions, "cluster" | "lifetimeMs" | "addresses">;

/** These settings as options of a plug-in. */
export const storeOptions: { readonly [Key in keyof StoreSettings]-?: OptionShape } = {
  cluster: {
    description: "Name of the fleet, if a store serves several.",
    type: "string",
    minLength: 1,
    default: "default",
    flag: { name: "--cluster", value: "name", help: "its name (default: default)" },
  },
  lifetimeMs: {
    description: "Time for which others list a dead node, in ms.",
    type: "integer",
    // etcd grants no shorter lease.
    minimum: 2_000,
    maximum: 86_400_000,
    default: 30_000,
  },
  addresses: {
    description: "Addresses of this machine's nodes; its own addresses unless given.",
    type: "array",
    items: { type: "string", minLength: 1 },
    minItems: 1,
    // A record has room for 16.
    maxItems: 16,
  },
};

/** These settings, and those that only a program can give. */
export const storeShapes: OptionShapes<StoreOptions> = {
  ...storeOptions,
  identity: identityShape,
  maxNodes: { type: "integer", minimum: 1, maximum: maxEntries },
  name: nameShape,
};

const text = { type: "string", minLength: 1 } as const;
const secret = { ...text, writeOnly: true } as const;

/** Settings of a store's servers in a configuration file. */
export interface ServerSettings {
  readonly endpoints?: readonly string[];
  readonly user?: string;
  readonly password?: string;
  readonly ca?: string;
  readonly tls?: { readonly cert: string; readonly key: string };
}

/**
 * These settings as options of a plug-in.
 *
 * @param store - Users' name of the store, such as `etcd`.
 * @param examples - URLs of servers.
 */
export function serverOptions(
  store: string,
  examples: string,
): { readonly [Key in keyof ServerSettings]-?: OptionShape } {
  return {
    endpoints: {
      description: `Servers of one ${store}, such as ${examples}.`,
      type: "array",
      items: text,
      minItems: 1,
      maxItems: 16,
      flag: { name: "--endpoint", value: "url", help: "its URL, such as http://10.0.0.1:2379" },
    },
    user: { description: `User, if ${store} asks for one.`, ...text },
    password: { description: "The user's password.", ...secret },
    ca: { description: "PEM of the authority of the servers' certificates.", ...secret },
    tls: {
      description: `Our certificate and its key, both PEM, if ${store} asks for one.`,
      type: "object",
      properties: {
        cert: { description: "The certificate.", ...secret },
        key: { description: "Its private key.", ...secret },
      },
      required: ["cert", "key"],
      additionalProperties: false,
    },
  };
}
