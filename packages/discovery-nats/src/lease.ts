import { DiscoveryError } from "@lmserv/discovery-core";
import { backoffMs, type Cancellable, type Clock } from "@lmserv/discovery-core/transport";
import { type Held, HeldValue } from "@lmserv/discovery-store";
import type { Acknowledgement, ServerConnection } from "./server-connection.ts";
import { firstRetryMs } from "./timing.ts";

/** Services of the connection for a held value. */
export interface LeaseHost {
  readonly clock: Clock;
  readonly random: () => number;
  readonly via: string;
  /** Null while there is no link. */
  readonly link: ServerConnection | null;
  /** True if an attempt failed for want of permission. */
  isRefusal(error: unknown): boolean;
  onAcknowledged(lease: NatsLease, replacedAnother: boolean): void;
  /**
   * Called when an attempt failed, from the second in a row on. @param forMs - Time since the first failure.
   */
  onFailed(lease: NatsLease, error: unknown, forMs: number): void;
  onReleased(lease: NatsLease): void;
}

/** Failures that are not reported: the first server may have just left its cluster. */
const quietFailures = 1;
/** Renewals spread by a fifth in either direction, so that simultaneous starts drift apart. */
const jitter = 0.4;

/** Value that is put again before it expires, and at each new link. */
export class NatsLease implements Held {
  readonly key: string;
  readonly #host: LeaseHost;
  readonly #value: HeldValue;
  #failures = 0;
  /** Time of the first failure in a row. */
  #failingMs = 0;
  /** Acknowledged value, with its link and time. */
  #acknowledged: {
    readonly link: ServerConnection;
    readonly sequence: number;
    readonly atMs: number;
  } | null = null;
  #isBusy = false;
  #isReleased = false;
  #cancelTimer: () => void = () => {};

  constructor(host: LeaseHost, key: string, value: string) {
    this.#host = host;
    this.key = key;
    this.#value = new HeldValue(value);
  }

  put(value: string, options: Cancellable): Promise<void> {
    this.#value.change(value);
    return this.begin(options);
  }

  /** Puts the present value; resolves when the server has it, or a later one. */
  begin(options: Cancellable): Promise<void> {
    const kept = this.#value.whenKept(options);
    if (!this.#isBusy) this.#attempt();
    return kept;
  }

  /** Wakes the lease; a kept value waits a random time, since all others have a new link now, too. */
  onLink({ timing }: ServerConnection): void {
    this.#schedule(this.#value.isKept ? this.#host.random() * timing.returnMs : 0);
  }

  /** Waits for the next link. */
  onUnlinked(): void {
    this.#cancelTimer();
  }

  /** Stops for good, and leaves the value to expire. */
  giveUp(error: unknown): void {
    this.#isReleased = true;
    this.#cancelTimer();
    this.#value.fail(error);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#host.onReleased(this);
    if (this.#isReleased) return;
    this.giveUp(new DiscoveryError("TRANSPORT_FAILED", "the value is held no more", { via: this.#host.via }));
    // If that fails, the value expires.
    await this.#host.link?.remove(this.key).catch(() => {});
  }

  /** Runs one attempt at a time; a newer value is put after it. */
  async #attempt(): Promise<void> {
    const { link } = this.#host;
    if (!link || this.#isReleased) return;
    this.#cancelTimer();
    const { version, text } = this.#value;
    this.#isBusy = true;
    try {
      this.#accept(link, version, await link.put(this.key, text, this.#previousOn(link)));
    } catch (error) {
      this.#fail(link, error);
    } finally {
      this.#isBusy = false;
    }
    if (this.#value.version !== version && this.#failures === 0) this.#schedule(0);
  }

  #accept(link: ServerConnection, version: number, { sequence, replacedAnother }: Acknowledgement): void {
    if (this.#isReleased) return;
    this.#failures = 0;
    this.#acknowledged = { link, sequence, atMs: this.#host.clock.now() };
    this.#host.onAcknowledged(this, replacedAnother);
    this.#value.keep(version);
    this.#schedule(link.timing.renewMs * (1 - jitter / 2 + jitter * this.#host.random()));
  }

  #fail(link: ServerConnection, error: unknown): void {
    if (this.#isReleased) return;
    // A process without the right to announce learns it at once, and may go on watching.
    if (!this.#value.wasKept && this.#host.isRefusal(error)) return this.giveUp(error);
    if (this.#failures === 0) this.#failingMs = this.#host.clock.now();
    this.#failures += 1;
    // A link that ended reports itself, and the next one resumes the lease.
    if (link !== this.#host.link) return this.onLink(link);
    this.#acknowledged = null;
    const pauses = { firstMs: firstRetryMs, maxMs: link.timing.returnMs };
    this.#schedule(backoffMs(this.#failures + 1, pauses, this.#host.random));
    if (this.#failures > quietFailures || this.#host.isRefusal(error)) {
      this.#host.onFailed(this, error, this.#host.clock.now() - this.#failingMs);
    }
  }

  /** Expected number of our value; null if it may have expired. */
  #previousOn(link: ServerConnection): number | null {
    if (this.#acknowledged?.link !== link) return null;
    const ageMs = this.#host.clock.now() - this.#acknowledged.atMs;
    return ageMs < 0.8 * link.bucket.lifetimeMs ? this.#acknowledged.sequence : null;
  }

  #schedule(delayMs: number): void {
    this.#cancelTimer();
    if (!this.#isReleased) this.#cancelTimer = this.#host.clock.schedule(delayMs, () => this.#renew());
  }

  #renew(): void {
    if (this.#isBusy) this.#schedule(this.#host.link?.timing.heartbeatMs ?? 0);
    else this.#attempt();
  }
}
