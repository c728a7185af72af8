import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLan, type Lan } from "@lmserv/test-netlab";
import type { EventLog, Stamped } from "../harness/event-log.ts";
import { turnstile } from "../harness/turnstile.ts";
import { type Machine, startMachine, startWatch, type WatchEvent } from "./command.ts";

/** Two cores that start dozens of programs at once finish none in time. */
const places = 4;
const startMs = 60_000;

/** Machines with a server and `lmserv announce` each, seen by one `lmserv discover --watch`. Disposal ends all. */
export interface Fleet extends AsyncDisposable {
  readonly lan: Lan;
  readonly machines: readonly Machine[];
  /** The first event about a machine that fits since then; null when none comes in time. */
  readonly sees: (
    machine: Machine,
    fits: (event: WatchEvent) => boolean,
    sinceMs: number,
    timeoutMs: number,
  ) => Promise<Stamped<WatchEvent> | null>;
}

/** Resolves when every machine is listed as healthy. */
export async function openFleet(count: number): Promise<Fleet> {
  const folder = await mkdtemp(join(tmpdir(), "lmserv-bench-"));
  const lan: Lan = await createLan({ hosts: count + 1 });
  const dispose = async (): Promise<void> => {
    await lan[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const [watcher, ...hosts] = lan.hosts;
    if (!watcher) throw new RangeError("the LAN has no hosts");
    const log = await startWatch(watcher);
    const start = turnstile(places);
    const machines = await Promise.all(hosts.map((host) => start(() => startMachine(host, folder))));
    const sees = seenIn(log);
    const listed = machines.map((machine) => sees(machine, isHealthy, 0, startMs));
    if ((await Promise.all(listed)).includes(null)) throw new Error("a machine is not listed as healthy");
    return { lan, machines, sees, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

function seenIn(log: EventLog<WatchEvent>): Fleet["sees"] {
  return ({ host }, fits, sinceMs, timeoutMs) =>
    log.first((event) => event.info === host.name && fits(event), { sinceMs, timeoutMs });
}

export function isDown({ type }: WatchEvent): boolean {
  return type === "down";
}

export function isUp({ type }: WatchEvent): boolean {
  return type === "up";
}

export function isHealthy(event: WatchEvent): boolean {
  return !isDown(event) && event.state === "healthy";
}

export function isSilent(event: WatchEvent): boolean {
  return !isDown(event) && event.state === "silent";
}
