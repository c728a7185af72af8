import type { Clock } from "./clock.ts";
import type { Registry, RegistryChange } from "./registry.ts";

export interface ExpiryTimerEvents {
  readonly publish: (changes: readonly RegistryChange[]) => void;
  /** Asks the medium again for these sources. */
  readonly doubt: (keys: readonly string[]) => void;
}

/** A timer this late, or clocks this far apart, mean that the host slept or stalled. */
const sleptMs = 2_000;
/** How long nodes have to answer after that (RFC 6762 section 10.4 gives a doubted record 10 s). */
const graceMs = 10_000;
/** How often, at least, the clocks are compared. */
const tickMs = 5_000;

/**
 * The one timer that drives the registry.
 *
 * A host that slept missed its nodes' signs of life: before anything expires, the nodes are asked again.
 */
export class ExpiryTimer {
  readonly #registry: Registry;
  readonly #clock: Clock;
  readonly #events: ExpiryTimerEvents;
  #cancel: (() => void) | null = null;
  #dueMs = 0;
  /** How far the clocks were apart when the timer was set. */
  #offsetMs = 0;
  /** Until when the nodes that were asked again may answer, or null. */
  #graceEndsMs: number | null = null;

  constructor(registry: Registry, clock: Clock, events: ExpiryTimerEvents) {
    this.#registry = registry;
    this.#clock = clock;
    this.#events = events;
  }

  /** Sets the timer for the registry's next deadline. */
  arm(): void {
    const deadlineMs = this.#registry.nextDeadlineMs();
    if (deadlineMs === null) {
      this.stop();
      return;
    }
    const nowMs = this.#clock.now();
    const dueMs = Math.min(Math.max(deadlineMs, this.#graceEndsMs ?? nowMs, nowMs), nowMs + tickMs);
    if (this.#cancel && this.#dueMs <= dueMs) return;
    if (!this.#cancel) this.#offsetMs = this.#clock.wall() - nowMs;
    this.stop();
    this.#dueMs = dueMs;
    this.#cancel = this.#clock.schedule(dueMs - nowMs, () => this.#fire());
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  #fire(): void {
    this.#cancel = null;
    const nowMs = this.#clock.now();
    // After its grace a node expires, however late this timer is again: a busy host must not keep the dead.
    if (this.#graceEndsMs === null && this.#hasSlept(nowMs)) {
      this.#graceEndsMs = nowMs + graceMs;
      this.#events.doubt(this.#allKeys());
    } else if (this.#graceEndsMs === null || nowMs >= this.#graceEndsMs) {
      this.#graceEndsMs = null;
      this.#events.publish(this.#registry.expire(nowMs));
    }
    this.arm();
  }

  #hasSlept(nowMs: number): boolean {
    const jumpedMs = this.#clock.wall() - nowMs - this.#offsetMs;
    return nowMs - this.#dueMs > sleptMs || jumpedMs > sleptMs;
  }

  #allKeys(): string[] {
    return this.#registry.listAlive().flatMap((node) => node.sources.map((source) => source.key));
  }
}
