import { setImmediate as turn } from "node:timers/promises";
import { sleep, systemClock } from "@lmserv/discovery-core/transport";

/** Attempts to see a closed socket leave the process; a standstill of the machine uses up one. */
const maxLooks = 200;
const pauseMs = 5;
/** A closed server was seen listed for two turns of the event loop. */
const closingTurns = 10;

/** Resources that keep the process alive, by type: sockets, servers, timers, requests. */
export async function openHandles(): Promise<ReadonlyMap<string, number>> {
  // A resource closed just now is still listed, and would hide one opened next.
  for (let count = 0; count < closingTurns; count += 1) await turn();
  return countHandles();
}

/** Resources beyond `before` that the process still holds after a while. */
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
