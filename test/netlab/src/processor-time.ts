import { readFileSync } from "node:fs";

/** What a process had of the machine's processors, in ms. */
export interface ProcessorTime {
  readonly usedMs: number;
  /** When it could have run, and others did. */
  readonly queuedMs: number;
}

/** Reads it of a process' main thread; null once that has ended, and where the system does not tell. */
export function processorTime(pid: number): ProcessorTime | null {
  try {
    const [used, queued] = readFileSync(`/proc/${pid}/schedstat`, "utf8").split(" ").map(Number);
    return { usedMs: (used ?? 0) / 1e6, queuedMs: (queued ?? 0) / 1e6 };
  } catch {
    return null;
  }
}
