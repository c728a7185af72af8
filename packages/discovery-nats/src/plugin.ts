import { optionsSchema, type TransportPlugin } from "@lmserv/discovery-core";
import { type FleetSettings, fleetOptions, serverOptions } from "@lmserv/discovery-fleet";
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
    ...serverOptions("NATS", "nats://10.0.0.1:4222 or tls://nats.example:4222"),
    credentials: { description: "Text of a credentials file, which ends with .creds.", ...secret },
    nkey: { description: "Seed of a user's NKey, which begins with SU.", ...secret },
    token: { description: "What a server that asks for a token wants to hear.", ...secret },
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
