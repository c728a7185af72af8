import { join } from "node:path";
import type { Host, HostProcess } from "@lmserv/test-netlab";
import { eventLog, type Search } from "../harness/event-log.ts";
import type { Peer, Sighting } from "./peer.ts";

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
  const log = eventLog(process, (line) => {
    const sighting = peer.read(line);
    return sighting?.name === name ? null : sighting;
  });
  return {
    host,
    process,
    listed() {
      const names = new Set<string>();
      for (const { kind, name: about } of log.events) {
        if (kind === "up") names.add(about);
        if (kind === "down") names.delete(about);
      }
      return names.size;
    },
    async sees(kind, about, search) {
      const seen = await log.first((one) => one.kind === kind && one.name === about, search);
      return seen === null ? null : seen.atMs;
    },
  };
}
