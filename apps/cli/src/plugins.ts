import type { PluginTable } from "@lmserv/discovery-config";
import type { TransportPlugin } from "@lmserv/discovery-core";

/** The transports that this command brings along; the package of each is loaded when it is chosen. */
export const ownPlugins: PluginTable = new Map<string, () => Promise<TransportPlugin>>([
  ["mdns", async () => (await import("@lmserv/discovery-mdns")).plugin],
  ["arp", async () => (await import("@lmserv/discovery-arp")).plugin],
  ["mesh", async () => (await import("@lmserv/discovery-mesh")).plugin],
  ["etcd", async () => (await import("@lmserv/discovery-etcd")).plugin],
  ["nats", async () => (await import("@lmserv/discovery-nats")).plugin],
]);

/** Where those are that a variant of this command leaves out, as an advice for each type; the whole one has all. */
export const elsewhere: ReadonlyMap<string, string> = new Map();
