import type { OptionShape } from "@lmserv/discovery-core/transport";
import { type StoreSettings, serverOptions, storeOptions } from "@lmserv/discovery-store/plugin";
import type { NatsStoreOptions } from "./settings.ts";

/** Options that a configuration file may set. */
export type Configurable = StoreSettings & NatsStoreOptions;

const text = { type: "string", minLength: 1 } as const;
const secret = { ...text, writeOnly: true } as const;

export const configurable: { readonly [Key in keyof Configurable]-?: OptionShape } = {
  ...serverOptions("NATS", "nats://10.0.0.1:4222 or tls://nats.example:4222"),
  credentials: { description: "Text of a credentials file, which ends with .creds.", ...secret },
  nkey: { description: "Seed of a user's NKey, which begins with SU.", ...secret },
  token: { description: "Token, if the server asks for one.", ...secret },
  replicas: {
    description: "Count of a NATS cluster's servers that keep a new bucket: 1, 3 or 5.",
    type: "integer",
    minimum: 1,
    maximum: 5,
    default: 1,
  },
  inboxPrefix: {
    description: "Prefix of the subjects for answers; one for each user keeps their answers apart.",
    ...text,
    default: "_INBOX",
  },
  ...storeOptions,
};
