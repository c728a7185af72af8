import { optionsSchema, type TransportPlugin } from "@lmserv/discovery-core";
import { type FleetSettings, fleetOptions } from "@lmserv/discovery-fleet";
import type { NatsEngineOptions } from "./settings.ts";
import { nats } from "./transport.ts";

type Settings = FleetSettings & NatsEngineOptions;

const text = { type: "string", minLength: 1 } as const;
const secret = { ...text, writeOnly: true } as const;

/** What a configuration file chooses as `nats`. */
export const plugin: TransportPlugin<Settings> = {
  type: "nats",
  announces: true,
  options: optionsSchema<Settings>({
    servers: {
      description: "Servers of one NATS system, such as nats://10.0.0.1:4222 or tls://nats.example:4222.",
      type: "array",
      items: text,
      minItems: 1,
      maxItems: 16,
    },
    credentials: { description: "Text of a credentials file, which ends with .creds.", ...secret },
    nkey: { description: "Seed of a user's NKey, which begins with SU.", ...secret },
    user: { description: "Who we are, where NATS asks for it.", ...text },
    password: { description: "The user's password.", ...secret },
    token: { description: "What a server that asks for a token wants to hear.", ...secret },
    ca: { description: "PEM of the authority of the servers' certificates.", ...secret },
    tls: {
      description: "Our certificate and its key, both PEM, where NATS asks for one.",
      type: "object",
      properties: {
        cert: { description: "The certificate.", ...secret },
        key: { description: "Its private key.", ...secret },
      },
      required: ["cert", "key"],
      additionalProperties: false,
    },
    replicas: {
      description: "On how many servers of a NATS cluster a new bucket is kept: 1, 3 or 5.",
      type: "integer",
      minimum: 1,
      maximum: 5,
      default: 1,
    },
    inboxPrefix: {
      description: "Where answers to our requests arrive; one for each user keeps users from each other's.",
      ...text,
      default: "_INBOX",
    },
    ...fleetOptions,
  }),
  create: (options, { name }) => nats({ ...options, name }),
};
