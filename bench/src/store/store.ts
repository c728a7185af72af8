import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Transport } from "@lmserv/discovery-core/transport";
import { etcd } from "@lmserv/discovery-etcd";
import { nats } from "@lmserv/discovery-nats";
import type { Command, Host, HostProcess } from "@lmserv/test-netlab";

export type StoreName = "etcd" | "nats";
export const storeNames: readonly StoreName[] = ["etcd", "nats"];

interface StoreUnderTest {
  readonly command: (folder: string) => Command;
  /** Line on standard error that shows it is ready. */
  readonly ready: RegExp;
  readonly transport: (lifetimeMs: number, name: string) => Transport;
}

const ports = { nats: 4_222, etcd: 2_379, etcdPeers: 2_380 };
/** Addresses without a host, so that no node is asked. */
const addresses = ["192.0.2.1"];

export const stores: Readonly<Record<StoreName, StoreUnderTest>> = {
  etcd: {
    command: (folder) => [
      "etcd",
      `--data-dir=${folder}`,
      `--listen-client-urls=http://127.0.0.1:${ports.etcd}`,
      `--advertise-client-urls=http://127.0.0.1:${ports.etcd}`,
      `--listen-peer-urls=http://127.0.0.1:${ports.etcdPeers}`,
    ],
    ready: /ready to serve client requests/,
    transport: (lifetimeMs, name) =>
      etcd({ endpoints: [`http://127.0.0.1:${ports.etcd}`], lifetimeMs, addresses, name }),
  },
  nats: {
    command: (folder) => ["nats-server", "-a", "127.0.0.1", "-p", `${ports.nats}`, "-js", "-sd", folder],
    ready: /Server is ready/,
    transport: (lifetimeMs, name) =>
      nats({ endpoints: [`nats://127.0.0.1:${ports.nats}`], lifetimeMs, addresses, name }),
  },
};

/** Starts a single server on loopback of a host; resolves when it can be used. */
export async function startStore(name: StoreName, host: Host, folder: string): Promise<HostProcess> {
  const data = join(folder, name);
  await mkdir(data, { recursive: true });
  const server = await host.spawn(stores[name].command(data));
  await server.stderrLine((line) => stores[name].ready.test(line));
  // Its own housekeeping at the start is not what is measured.
  await delay(500);
  return server;
}
