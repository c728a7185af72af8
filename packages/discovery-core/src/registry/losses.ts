import type { DiscoveryError, DiscoveryErrorCode } from "../contract/errors.ts";
import { viaOf } from "./source.ts";

/** A shorter loss is no event, such as a restart or an election. */
const unnoticedMs = 2_000;

/** Transport without a session, or with a new session that has not settled. */
interface Loss {
  readonly error: DiscoveryError;
  /** Slots that were not reported since. */
  readonly unconfirmed: Set<string>;
  /** Time at which they become stale; null if they are, or if there is a session. */
  staleMs: number | null;
}

/** Sources that are unconfirmed because their transport was lost. */
export class Losses {
  /** Cause of each transport's lack of a session for that long. */
  readonly absent: Map<string, DiscoveryError> = new Map();
  /** By transport; bounded by the transports. */
  readonly #losses = new Map<string, Loss>();

  /** @returns the slots that were confirmed until now. */
  lose(via: string, error: DiscoveryError, slots: Iterable<string>, nowMs: number): readonly string[] {
    const before = this.#losses.get(via);
    const unconfirmed = new Set(slots);
    this.#losses.set(via, { error, unconfirmed, staleMs: nowMs + unnoticedMs });
    return [...unconfirmed].filter((slot) => !before?.unconfirmed.has(slot));
  }

  recover(via: string): void {
    this.absent.delete(via);
    const loss = this.#losses.get(via);
    if (loss) loss.staleMs = null;
  }

  /** @returns the slots that the session after the loss did not report. */
  settle(via: string): readonly string[] {
    const loss = this.#losses.get(via);
    this.recover(via);
    this.#losses.delete(via);
    return [...(loss?.unconfirmed ?? [])];
  }

  /** Removes a slot that was reported or has ended. */
  confirm(slot: string): void {
    this.#losses.get(viaOf(slot))?.unconfirmed.delete(slot);
  }

  isUnconfirmed(slot: string): boolean {
    return this.#losses.get(viaOf(slot))?.unconfirmed.has(slot) ?? false;
  }

  /** Time at which slots next become stale, or null. */
  nextMs(): number | null {
    const times = [...this.#losses.values()].flatMap(({ staleMs }) => staleMs ?? []);
    return times.length > 0 ? Math.min(...times) : null;
  }

  /** Slots that become stale now, each with the cause. */
  takeStale(nowMs: number): ReadonlyMap<string, DiscoveryErrorCode> {
    const stale = new Map<string, DiscoveryErrorCode>();
    for (const [via, loss] of this.#losses) {
      if (loss.staleMs === null || loss.staleMs > nowMs) continue;
      loss.staleMs = null;
      this.absent.set(via, loss.error);
      for (const slot of loss.unconfirmed) stale.set(slot, loss.error.code);
    }
    return stale;
  }
}
