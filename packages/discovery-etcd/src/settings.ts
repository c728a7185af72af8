import type { OptionShape } from "@lmserv/discovery-core/transport";
import {
  type ServerSettings,
  type StoreSettings,
  serverOptions,
  storeOptions,
} from "@lmserv/discovery-store/plugin";
import type { EtcdOptions } from "./transport.ts";

/** Options that a configuration file may set. */
export interface Settings extends StoreSettings, ServerSettings, Pick<EtcdOptions, "prefix"> {}

export const settings: { readonly [Key in keyof Settings]-?: OptionShape } = {
  ...serverOptions("etcd", "http://10.0.0.1:2379 or https://etcd.example:2379"),
  prefix: {
    description: "Prefix of all keys; the cluster's name follows.",
    type: "string",
    minLength: 1,
    default: "/lmserv/",
  },
  ...storeOptions,
};
