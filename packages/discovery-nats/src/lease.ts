import { DiscoveryError } from "@lmserv/discovery-core";
import { backoffMs, type Cancellable, type Clock } from "@lmserv/discovery-core/transport";
import { type Held, HeldValue } from "@lmserv/discovery-store";
import type { Acknowledgement, ServerConnection } from "./server-connection.ts";
import { firstRetryMs } from "./timing.ts";

/** What a value needs of the connection that it is held on. */
export interface LeaseHost {
  readonly clock: Clock;
  readonly random: () => number;
  readonly via: string;
  /** Null while there is none. */
  readonly link: ServerConnection | null;
  /** Whether an attempt failed because we may not. */
  isRefusal(error: unknown): boolean;
  onAcknowledged(lease: NatsLease, replacedAnother: boolean): void;
  /** An attempt failed, and not for the first time. @param forMs - How long none has succeeded. */
  onFailed(lease: NatsLease, error: unknown, forMs: number): void;
  onReleased(lease: NatsLease): void;
}

/** Attempts that fail before somebody is told: the first may have met a server that just left its cluster. */
const quietFailures = 1;
/** Renewals are spread by a fifth in either direction, so that those who start together drift apart. */
const jitter = 0.4;

/** One value that is put again before it runs out, and whenever there is a new link. */
export class NatsLease implements Held {
  readonly key: string;
  readonly #host: LeaseHost;
  readonly #value: HeldValue;
  #failures = 0;
  /** Since when no attempt succeeded. */
  #failingMs = 0;
  /** What the server has of us, on which link and since when. */
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

  /** Puts what is wanted now; resolves when the server has it, or a later one. */
  begin(options: Cancellable): Promise<void> {
    const kept = this.#value.whenKept(options);
    if (!this.#isBusy) this.#attempt();
    return kept;
  }

  /** There is a new link; everybody else has one too. */
  onLink({ timing }: ServerConnection): void {
    this.#schedule(this.#value.isKept ? this.#host.random() * timing.returnMs : 0);
  }

  /** There is no link: the next one wakes it. */
  onUnlinked(): void {
    this.#cancelTimer();
  }

  /** Stops for good, and leaves the value to run out. */
  giveUp(error: unknown): void {
    this.#isReleased = true;
    this.#cancelTimer();
    this.#value.fail(error);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#host.onReleased(this);
    if (this.#isReleased) return;
    this.giveUp(new DiscoveryError("TRANSPORT_FAILED", "the value is held no more", { via: this.#host.via }));
    // Where that fails, the value runs out.
    await this.#host.link?.remove(this.key).catch(() => {});
  }

  /** One at a time: whatever comes meanwhile is put when this one is through. */
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
    // Whoever may not announce at all learns it at once, and may go on watching.
    if (!this.#value.wasKept && this.#host.isRefusal(error)) return this.giveUp(error);
    if (this.#failures === 0) this.#failingMs = this.#host.clock.now();
    this.#failures += 1;
    // A link that ended says so itself, and the next one wakes us.
    if (link !== this.#host.link) return this.onLink(link);
    this.#acknowledged = null;
    const pauses = { firstMs: firstRetryMs, maxMs: link.timing.returnMs };
    this.#schedule(backoffMs(this.#failures + 1, pauses, this.#host.random));
    if (this.#failures > quietFailures || this.#host.isRefusal(error)) {
      this.#host.onFailed(this, error, this.#host.clock.now() - this.#failingMs);
    }
  }

  /** The number that our value should have; null where it may have run out. */
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
