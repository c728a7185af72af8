import type { HostProcess } from "@lmserv/test-netlab";

/** An event and when its line was read, in ms of this process. */
export type Stamped<Event> = Event & { readonly atMs: number };

export interface Search {
  readonly sinceMs: number;
  readonly timeoutMs: number;
}

/** Events that a program prints as lines, stamped by one clock whatever the program is. */
export interface EventLog<Event> {
  readonly events: readonly Stamped<Event>[];
  /** The first event that fits since `sinceMs`; null when none comes in time. */
  readonly first: (
    fits: (event: Stamped<Event>) => boolean,
    search: Search,
  ) => Promise<Stamped<Event> | null>;
}

/** @param read - Null for a line that is no event. */
export function eventLog<Event>(process: HostProcess, read: (line: string) => Event | null): EventLog<Event> {
  const events: Stamped<Event>[] = [];
  const waiting = new Set<() => void>();
  let lines = 0;
  const catchUp = (): void => {
    for (; lines < process.lines.length; lines += 1) {
      const event = read(process.lines[lines] ?? "");
      if (event !== null) events.push({ ...event, atMs: performance.now() });
    }
    for (const look of waiting) look();
  };
  // The lines are taken apart before this listener is called; some have come already.
  process.stdout.on("data", catchUp);
  catchUp();
  return {
    events,
    first: (fits, { sinceMs, timeoutMs }) =>
      new Promise((resolve) => {
        const end = (event: Stamped<Event> | null): void => {
          waiting.delete(look);
          clearTimeout(timer);
          resolve(event);
        };
        const look = (): void => {
          const found = events.find((event) => event.atMs >= sinceMs && fits(event));
          if (found) end(found);
        };
        const timer = setTimeout(() => end(null), timeoutMs);
        waiting.add(look);
        look();
      }),
  };
}
