import { plugin as arp } from "@lmserv/discovery-arp/plugin";
import type { PluginTable } from "@lmserv/discovery-config";
import type { TransportPlugin } from "@lmserv/discovery-core/transport";
import { plugin as etcd } from "@lmserv/discovery-etcd/plugin";
import { plugin as mdns } from "@lmserv/discovery-mdns/plugin";
import { plugin as mesh } from "@lmserv/discovery-mesh/plugin";
import { plugin as nats } from "@lmserv/discovery-nats/plugin";

/** Transports that this command includes, as they declare themselves; each is loaded when it is chosen. */
export const ownPlugins: PluginTable = new Map<string, TransportPlugin>(
  [mdns, arp, mesh, etcd, nats].map((plugin) => [plugin.type, plugin]),
);

/** Advice for each type that a variant of this command leaves out; the whole one has all. */
export const elsewhere: ReadonlyMap<string, string> = new Map();
