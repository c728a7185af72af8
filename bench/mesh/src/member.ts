import { join } from "node:path";
import type { Host, HostProcess } from "@lmserv/test-net";
import type { Peer, Sighting } from "./peer.ts";

/** A sighting and when its line was read, in ms of this process; all peers are read alike. */
export interface Stamped extends Sighting {
  readonly atMs: number;
}

/** A running program. */
export interface Member {
  readonly host: Host;
  readonly process: HostProcess;
  /** The first sighting of that kind since `sinceMs`; null when none comes in time. */
  readonly sees: (kind: Sighting["kind"], name: string, search: Search) => Promise<number | null>;
  /** Whom it lists now, itself aside. */
  readonly listed: () => number;
}

/** What all members of a mesh have in common. */
export interface Mesh {
  readonly peer: Peer;
  /** The first of them. */
  readonly seed: Host;
  /** A folder for what they keep. */
  readonly state: string;
}

export interface Search {
  readonly sinceMs: number;
  readonly timeoutMs: number;
}

/** Starts a program that is one member, or several at once. */
export async function startMember(
  host: Host,
  { peer, seed, state }: Mesh,
  members: number = 1,
): Promise<Member> {
  const { name, address } = host;
  const plan = {
    name,
    address,
    seed: host === seed ? null : seed.address,
    state: join(state, name),
    members,
  };
  const process = await host.spawn(peer.command(plan));
  const seen: Stamped[] = [];
  const names = new Set<string>();
  const waiting = new Set<() => void>();
  const take = (line: string): void => {
    const sighting = peer.read(line);
    if (sighting === null || sighting.name === name) return;
    seen.push({ ...sighting, atMs: performance.now() });
    if (sighting.kind === "up") names.add(sighting.name);
    if (sighting.kind === "down") names.delete(sighting.name);
    for (const look of waiting) look();
  };
  let read = 0;
  const catchUp = (): void => {
    for (; read < process.lines.length; read += 1) take(process.lines[read] ?? "");
  };
  // The lines are taken apart before this listener is called; some have come already.
  process.stdout.on("data", catchUp);
  catchUp();
  return {
    host,
    process,
    listed: () => names.size,
    sees: (kind, about, { sinceMs, timeoutMs }) =>
      new Promise((resolve) => {
        const end = (atMs: number | null): void => {
          waiting.delete(look);
          clearTimeout(timer);
          resolve(atMs);
        };
        const look = (): void => {
          const found = seen.find((one) => one.kind === kind && one.name === about && one.atMs >= sinceMs);
          if (found) end(found.atMs);
        };
        const timer = setTimeout(() => end(null), timeoutMs);
        waiting.add(look);
        look();
      }),
  };
}
