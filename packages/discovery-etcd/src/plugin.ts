import { optionsSchema, type TransportPlugin } from "@lmserv/discovery-core";
import { type FleetSettings, fleetOptions } from "@lmserv/discovery-fleet";
import { type EtcdOptions, etcd } from "./transport.ts";

interface Settings
  extends FleetSettings,
    Pick<EtcdOptions, "servers" | "user" | "password" | "ca" | "tls" | "prefix"> {}

const text = { type: "string", minLength: 1 } as const;
const secret = { ...text, writeOnly: true } as const;

/** What a configuration file chooses as `etcd`. */
export const plugin: TransportPlugin<Settings> = {
  type: "etcd",
  announces: true,
  options: optionsSchema<Settings>({
    servers: {
      description: "Servers of one etcd, such as http://10.0.0.1:2379 or https://etcd.example:2379.",
      type: "array",
      items: text,
      minItems: 1,
      maxItems: 16,
    },
    user: { description: "Who we are, where etcd asks for it.", ...text },
    password: { description: "The user's password.", ...secret },
    ca: { description: "PEM of the authority of the servers' certificates.", ...secret },
    tls: {
      description: "Our certificate and its key, both PEM, where etcd asks for one.",
      type: "object",
      properties: {
        cert: { description: "The certificate.", ...secret },
        key: { description: "Its private key.", ...secret },
      },
      required: ["cert", "key"],
      additionalProperties: false,
    },
    prefix: {
      description: "What all keys begin with; the cluster's name follows.",
      ...text,
      default: "/lmserv/",
    },
    ...fleetOptions,
  }),
  create: (options, { name }) => etcd({ ...options, name }),
};
