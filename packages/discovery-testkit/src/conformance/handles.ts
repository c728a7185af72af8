import { setImmediate as turn } from "node:timers/promises";
import { sleep, systemClock } from "@lmserv/discovery-core/transport";

/** How often it is looked whether a closed socket has left the process; a standstill of the machine takes up one time. */
const maxLooks = 200;
const pauseMs = 5;
/** A closed server was seen to be listed for two turns of the event loop. */
const closingTurns = 10;

/** What keeps the process alive, by type: sockets, servers, timers, requests. */
export async function openHandles(): Promise<ReadonlyMap<string, number>> {
  // What was closed just now is still listed, and would hide something that is opened next.
  for (let count = 0; count < closingTurns; count += 1) await turn();
  return countHandles();
}

/** What the process has come to hold beyond `before`, once it had the time to let go of it. */
export async function newHandles(before: ReadonlyMap<string, number>): Promise<readonly string[]> {
  const never = new AbortController().signal;
  for (let looks = 1; ; looks += 1) {
    const added = [...countHandles()].filter(([type, count]) => count > (before.get(type) ?? 0));
    if (added.length === 0 || looks === maxLooks) return added.map(([type]) => type);
    await sleep(systemClock, pauseMs, never);
  }
}

function countHandles(): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const type of process.getActiveResourcesInfo()) counts.set(type, (counts.get(type) ?? 0) + 1);
  return counts;
}
