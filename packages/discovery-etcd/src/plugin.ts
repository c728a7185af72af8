import { optionsSchema, type TransportPlugin } from "@lmserv/discovery-core";
import {
  type FleetSettings,
  fleetOptions,
  type ServerSettings,
  serverOptions,
} from "@lmserv/discovery-fleet";
import { type EtcdOptions, etcd } from "./transport.ts";

interface Settings extends FleetSettings, ServerSettings, Pick<EtcdOptions, "prefix"> {}

/** What a configuration file chooses as `etcd`. */
export const plugin: TransportPlugin<Settings> = {
  type: "etcd",
  announces: true,
  options: optionsSchema<Settings>({
    ...serverOptions("etcd", "http://10.0.0.1:2379 or https://etcd.example:2379"),
    prefix: {
      description: "What all keys begin with; the cluster's name follows.",
      type: "string",
      minLength: 1,
      default: "/lmserv/",
    },
    ...fleetOptions,
  }),
  create: (options, { name }) => etcd({ ...options, name }),
};
