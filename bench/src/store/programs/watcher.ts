import type { Observation } from "@lmserv/discovery-core/transport";
import { open, say, task, transportOf } from "./task.ts";

// Watches with `count` sessions. Reports when the last of them lists all nodes, and when the last has seen a
// visitor come or go. Reports the loss of any other node at once.

const visitor = /^visitor-/;
const endless = new AbortController().signal;
const counts = new Map<string, number>();

/** Counts one more session; says so with the last of them. */
function count(event: "whole" | "up" | "down", name: string): void {
  const slot = `${event} ${name}`;
  const seen = (counts.get(slot) ?? 0) + 1;
  counts.set(slot, seen);
  if (seen === task.count) say({ event, name });
}

/** List of one session: names by keys. */
class List {
  readonly #listed = new Map<string, string>();

  take(seen: Observation): void {
    if (seen.kind === "alive" && !this.#listed.has(seen.key)) this.#arrive(seen.key, seen.node.info);
    if (seen.kind === "gone") this.#depart(this.#listed.get(seen.key) ?? "", seen.key);
  }

  #arrive(key: string, name: string): void {
    this.#listed.set(key, name);
    if (visitor.test(name)) count("up", name);
    else if (this.#listed.size === task.nodes) count("whole", "");
  }

  #depart(name: string, key: string): void {
    this.#listed.delete(key);
    if (visitor.test(name)) count("down", name);
    else say({ event: "down", name: `resident ${name}` });
  }
}

async function watch(): Promise<void> {
  const session = await open(transportOf(task));
  const list = new List();
  for await (const seen of session.browse({ ttlMs: 60_000 }, { signal: endless })) list.take(seen);
}

await Promise.all(Array.from({ length: task.count }, watch));
