import type { RegistryChange } from "../contract/registry-change.ts";
import type { Clock } from "../time/clock.ts";
import { Standstill } from "../time/standstill.ts";
import type { Registry } from "./registry.ts";

export interface ExpiryTimerEvents {
  readonly publish: (changes: readonly RegistryChange[]) => void;
  /** Asks the medium again for these sources. */
  readonly doubt: (keys: readonly string[]) => void;
}

/** Time for answers after that, in ms (RFC 6762 section 10.4 gives a doubted record 10 s). */
const graceMs = 10_000;
/** Longest time between two comparisons of the clocks, in ms. */
const tickMs = 5_000;

/**
 * Single timer that drives the registry.
 *
 * A host that slept missed its nodes' signs of life: before anything expires, the nodes are asked again.
 */
export class ExpiryTimer {
  readonly #registry: Registry;
  readonly #clock: Clock;
  readonly #events: ExpiryTimerEvents;
  #cancel: (() => void) | null = null;
  #dueMs = 0;
  readonly #standstill = new Standstill();
  /** End of the time for answers of the nodes that were asked again, or null. */
  #graceEndsMs: number | null = null;

  constructor(registry: Registry, clock: Clock, events: ExpiryTimerEvents) {
    this.#registry = registry;
    this.#clock = clock;
    this.#events = events;
  }

  arm(): void {
    const deadlineMs = this.#registry.nextDeadlineMs();
    if (deadlineMs === null) {
      this.stop();
      return;
    }
    const nowMs = this.#clock.now();
    const dueMs = Math.min(Math.max(deadlineMs, this.#graceEndsMs ?? nowMs, nowMs), nowMs + tickMs);
    if (this.#cancel && this.#dueMs <= dueMs) return;
    // Shifts between the clocks do not matter while no timer runs.
    if (!this.#cancel) this.#standstill.hasSlept(nowMs, this.#clock.wall());
    this.stop();
    this.#dueMs = dueMs;
    this.#standstill.expect(dueMs);
    this.#cancel = this.#clock.schedule(dueMs - nowMs, () => this.#fire());
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  #fire(): void {
    this.#cancel = null;
    const nowMs = this.#clock.now();
    // After its grace a node expires, even if this timer is late again: a busy host must not keep dead nodes.
    const isLate = this.#standstill.isLate(nowMs);
    const hasSlept = this.#standstill.hasSlept(nowMs, this.#clock.wall());
    if (this.#graceEndsMs === null && (isLate || hasSlept)) {
      this.#graceEndsMs = nowMs + graceMs;
      this.#events.doubt(this.#allKeys());
    } else if (this.#graceEndsMs === null || nowMs >= this.#graceEndsMs) {
      this.#graceEndsMs = null;
      this.#events.publish(this.#registry.expire(nowMs));
    }
    this.arm();
  }

  #allKeys(): string[] {
    return this.#registry.listAlive().flatMap((node) => node.sources.map((source) => source.key));
  }
}
