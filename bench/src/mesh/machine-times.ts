import { cpus } from "node:os";

/** What all cores of this machine did since it started, in ms. */
export class MachineTimes {
  readonly #busyMs: number;
  readonly #idleMs: number;

  constructor(busyMs: number, idleMs: number) {
    this.#busyMs = busyMs;
    this.#idleMs = idleMs;
  }

  /** The share of their time that they were busy since then, in percent. */
  busySharePercent(before: MachineTimes): number {
    const [busyMs, idleMs] = [this.#busyMs - before.#busyMs, this.#idleMs - before.#idleMs];
    return (100 * busyMs) / (busyMs + idleMs);
  }
}

export function machineTimes(): MachineTimes {
  const times = cpus().map(
    ({ times: { user, nice, sys, irq, idle } }) => [user + nice + sys + irq, idle] as const,
  );
  const sum = (index: 0 | 1): number => times.reduce((total, time) => total + time[index], 0);
  return new MachineTimes(sum(0), sum(1));
}
