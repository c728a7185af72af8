import type { DiscoveryError, DiscoveryErrorCode } from "../contract/errors.ts";
import { viaOf } from "./source.ts";

/** A loss that is over sooner is no event: a restart, an election. */
const unnoticedMs = 2_000;

/** A transport without a session, or whose new session has not settled. */
interface Loss {
  readonly error: DiscoveryError;
  /** Slots that were not reported since. */
  readonly unconfirmed: Set<string>;
  /** When they become stale, or null: they are, or there is a session. */
  staleMs: number | null;
}

/** Which sources nobody confirms, because their transport was lost. */
export class Losses {
  /** Why a transport has had no session for that long. */
  readonly absent: Map<string, DiscoveryError> = new Map();
  /** By transport, of which there are a few. */
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

  /** Takes a slot out: it was reported, or has ended. */
  confirm(slot: string): void {
    this.#losses.get(viaOf(slot))?.unconfirmed.delete(slot);
  }

  isUnconfirmed(slot: string): boolean {
    return this.#losses.get(viaOf(slot))?.unconfirmed.has(slot) ?? false;
  }

  /** When slots next become stale, or null. */
  nextMs(): number | null {
    const times = [...this.#losses.values()].flatMap(({ staleMs }) => staleMs ?? []);
    return times.length > 0 ? Math.min(...times) : null;
  }

  /** Slots that are stale from now on, each with the cause. */
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
