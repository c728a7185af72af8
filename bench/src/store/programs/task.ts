import {
  silentLog,
  supervise,
  systemClock,
  type Transport,
  type TransportSession,
} from "@lmserv/discovery-core/transport";
import { type StoreName, stores } from "../store.ts";

/** Task of a program of the benchmark. */
export interface Task {
  readonly store: StoreName;
  readonly lifetimeMs: number;
  /** Count of announced nodes, or of watching sessions. */
  readonly count: number;
  /** Count of all nodes; or the name of the announced ones. */
  readonly nodes: number;
  readonly name: string;
}

export const task: Task = JSON.parse(process.argv[2] ?? "{}");

export function transportOf({ store, lifetimeMs }: Task): Transport {
  return stores[store].transport(lifetimeMs, store);
}

/** Opens it as a discovery does: a store that is slow is waited for, and a session that is lost is opened again. */
export function open(transport: Transport): Promise<TransportSession> {
  const context = {
    clock: systemClock,
    random: Math.random,
    log: silentLog,
    nodes: { listAlive: () => [] },
    report: (error: Error) => say({ event: "fault", name: error.message }),
  };
  return supervise(transport, { outlasts: () => true }).open(context, {
    signal: new AbortController().signal,
  });
}

/** Event with its time, in ms since 1970: all processes of a machine have one clock. */
export interface Saying {
  readonly event: "announcing" | "announced" | "whole" | "up" | "down" | "fault";
  readonly name: string;
}

export function say(saying: Saying): void {
  process.stdout.write(`${JSON.stringify({ ...saying, atMs: Date.now() })}\n`);
}
