import { allList, Client } from "../../discovery-store/test/client.ts";
import { type NatsOptions, nats } from "../src/transport.ts";

export const names: readonly string[] = ["a", "b", "c"];

/** Process that watches, and perhaps announces. */
export function join(options: NatsOptions, info: string | null = null): Promise<Client> {
  return Client.join(nats({ addresses: ["127.0.0.1"], ...options }), info);
}

/** Three clients that announce and watch, each of which lists all. */
export async function openClients(options: NatsOptions): Promise<readonly Client[]> {
  const clients = await Promise.all(names.map((name) => join(options, name)));
  await allList(clients, ...names);
  return clients;
}

export const close = (clients: readonly Client[]): Promise<unknown> =>
  Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));

/** The list as it is after a loss: a star for each. */
export const stale = (all: readonly string[]): readonly string[] => all.map((name) => `${name}*`);
