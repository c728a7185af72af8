import { setImmediate as turn } from "node:timers/promises";

type Handler = (...args: unknown[]) => void;

const events = ["unhandledRejection", "uncaughtException"] as const;

/** Faults that would have ended the process while `act` ran: unhandled rejections and uncaught exceptions. */
export async function collectFaults(act: () => Promise<void>): Promise<readonly unknown[]> {
  const faults: unknown[] = [];
  const take: Handler = (error) => faults.push(error);
  const others = events.map((event) => replaceHandlers(event, [take]));
  try {
    await act();
    // Node reports a rejection only once the microtasks have run.
    await turn();
    await turn();
  } finally {
    for (const [index, event] of events.entries()) replaceHandlers(event, others[index] ?? []);
  }
  return faults;
}

/**
 * Replaces the handlers of an event, and returns the former: the test runner's, which would blame another
 * test.
 */
function replaceHandlers(event: (typeof events)[number], handlers: readonly Handler[]): readonly Handler[] {
  const before = process.rawListeners(event) as Handler[];
  process.removeAllListeners(event);
  for (const handler of handlers) process.on(event, handler);
  return before;
}
