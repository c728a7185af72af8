import { readFileSync } from "node:fs";

/** Processor time of a process, in ms. */
export interface ProcessorTime {
  readonly usedMs: number;
  /** Time in which it was runnable but not running. */
  readonly queuedMs: number;
}

/** Reads the time of a process's main thread; null after its end, and if the system does not tell. */
export function processorTime(pid: number): ProcessorTime | null {
  try {
    const [used, queued] = readFileSync(`/proc/${pid}/schedstat`, "utf8").split(" ").map(Number);
    return { usedMs: (used ?? 0) / 1e6, queuedMs: (queued ?? 0) / 1e6 };
  } catch {
    return null;
  }
}
