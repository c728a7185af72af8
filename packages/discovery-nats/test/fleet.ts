import { expect } from "vitest";
import { type Client, type ClientOptions, openClient } from "./site.ts";

export const keys: readonly string[] = ["a", "b", "c"];
const signal = new AbortController().signal;

/** Three announcers and watchers, each of which lists all, and has said nothing since. */
export async function openFleet(options: ClientOptions): Promise<readonly Client[]> {
  const clients = await Promise.all(keys.map(() => openClient(options)));
  for (const [index, { connection }] of clients.entries()) {
    const value = `value of ${keys[index]}`.padEnd(8_000);
    await connection.hold(keys[index] ?? "", value, { signal });
  }
  await Promise.all(clients.map(({ view }) => view.lists(keys)));
  for (const { view } of clients) view.events.length = 0;
  return clients;
}

export const close = (clients: readonly Client[]): Promise<unknown> =>
  Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
export const lose = (clients: readonly Client[]): Promise<unknown> =>
  Promise.all(clients.map(({ view }) => view.until(({ isLost }) => isLost)));

/** Everybody lists all in the end; where somebody was missing at once, that followed a loss. */
export async function expectWhole(clients: readonly Client[]): Promise<void> {
  await Promise.all(clients.map(({ view }) => view.lists(keys)));
  for (const { view } of clients) {
    expect(view.count("delete")).toBe(0);
    let listed = new Set(keys);
    for (const [index, event] of view.events.entries()) {
      if (event.kind === "put") listed.add(event.key);
      if (event.kind !== "snapshot") continue;
      const present = new Set(event.entries.map(({ key }) => key));
      const missing = [...listed].filter((key) => !present.has(key));
      if (view.events[index - 1]?.kind !== "lost") expect(missing).toEqual([]);
      listed = present;
    }
  }
}

export function losses(clients: readonly Client[]): readonly string[] {
  return clients.flatMap(({ view }) =>
    view.events.flatMap((event) =>
      event.kind === "lost" ? [`${event.error.code} ${event.error.message}`] : [],
    ),
  );
}
