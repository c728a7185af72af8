import { type Cancellable, type Clock, DiscoveryError, onAbort } from "@lmserv/discovery-core";
import type { Held } from "@lmserv/discovery-fleet";
import type { Acknowledgement, Link } from "./link.ts";
import { backoffMs } from "./timing.ts";

/** What a value needs of the connection that it is held on. */
export interface HoldingHost {
  readonly clock: Clock;
  readonly random: () => number;
  readonly via: string;
  /** Null while there is none. */
  readonly link: Link | null;
  /** Whether an attempt failed because we may not. */
  isRefusal(error: unknown): boolean;
  onAcknowledged(holding: Holding, replacedAnother: boolean): void;
  /** An attempt failed, and not for the first time. @param forMs - How long none has succeeded. */
  onFailed(holding: Holding, error: unknown, forMs: number): void;
  onReleased(holding: Holding): void;
}

/** Attempts that fail before somebody is told: the first may have met a server that just left its cluster. */
const quietFailures = 1;
/** Renewals are spread by a fifth in either direction, so that those who start together drift apart. */
const jitter = 0.4;

/** Somebody who waits until the server has a value. */
interface Waiting {
  readonly version: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** One value that is put again before it runs out, and whenever there is a new link. */
export class Holding implements Held {
  readonly key: string;
  readonly #host: HoldingHost;
  readonly #waiting = new Set<Waiting>();
  #value = "";
  #version = 0;
  #failures = 0;
  /** Since when no attempt succeeded. */
  #failingMs = 0;
  /** What the server has of us, on which link and since when. */
  #acknowledged: { readonly link: Link; readonly sequence: number; readonly atMs: number } | null = null;
  #isBusy = false;
  #isReleased = false;
  #cancelTimer: () => void = () => {};

  constructor(host: HoldingHost, key: string) {
    this.#host = host;
    this.key = key;
  }

  put(value: string, { signal }: Cancellable): Promise<void> {
    this.#value = value;
    this.#version += 1;
    const done = this.#whenAcknowledged(this.#version, signal);
    if (!this.#isBusy) this.#attempt();
    return done;
  }

  /** There is a new link, which may lead to an empty bucket; everybody else has one too. */
  onLink({ timing }: Link): void {
    const isAwaited = this.#waiting.size > 0;
    this.#schedule(isAwaited ? 0 : this.#host.random() * timing.returnMs);
  }

  /** There is no link: the next one wakes it. */
  onLoss(): void {
    this.#cancelTimer();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#cancelTimer();
    this.#host.onReleased(this);
    const { via } = this.#host;
    this.#settle(
      Number.POSITIVE_INFINITY,
      new DiscoveryError("TRANSPORT_FAILED", "the value is held no more", { via }),
    );
    // Where that fails, the value runs out.
    await this.#host.link?.remove(this.key).catch(() => {});
  }

  /** One at a time: whatever comes meanwhile is put when this one is through. */
  async #attempt(): Promise<void> {
    const { link } = this.#host;
    if (!link || this.#isReleased) return;
    this.#cancelTimer();
    const version = this.#version;
    this.#isBusy = true;
    try {
      this.#accept(link, version, await link.put(this.key, this.#value, this.#previousOn(link)));
    } catch (error) {
      this.#fail(link, error);
    } finally {
      this.#isBusy = false;
    }
    if (this.#version !== version && this.#failures === 0) this.#schedule(0);
  }

  #accept(link: Link, version: number, { sequence, replacedAnother }: Acknowledgement): void {
    if (this.#isReleased) return;
    this.#failures = 0;
    this.#acknowledged = { link, sequence, atMs: this.#host.clock.now() };
    this.#host.onAcknowledged(this, replacedAnother);
    this.#settle(version, null);
    this.#schedule(link.timing.renewMs * (1 - jitter / 2 + jitter * this.#host.random()));
  }

  #fail(link: Link, error: unknown): void {
    if (this.#isReleased) return;
    if (this.#acknowledged === null && this.#host.isRefusal(error)) {
      return this.#settle(Number.POSITIVE_INFINITY, error);
    }
    if (this.#failures === 0) this.#failingMs = this.#host.clock.now();
    this.#failures += 1;
    // A link that ended says so itself, and the next one wakes us.
    if (link !== this.#host.link) return this.onLink(link);
    this.#acknowledged = null;
    if (this.#failures > quietFailures) {
      this.#host.onFailed(this, error, this.#host.clock.now() - this.#failingMs);
    }
    this.#schedule(backoffMs(this.#failures, link.timing.returnMs, this.#host.random));
  }

  /** The number that our value should have; null where it may have run out. */
  #previousOn(link: Link): number | null {
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

  #whenAcknowledged(version: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const end = (settle: () => void): void => {
        this.#waiting.delete(waiting);
        ignore();
        settle();
      };
      const waiting: Waiting = {
        version,
        resolve: () => end(resolve),
        reject: (error) => end(() => reject(error)),
      };
      this.#waiting.add(waiting);
      const ignore = onAbort(signal, () => end(() => reject(signal.reason)));
    });
  }

  /** Ends the wait for a version and those before it. */
  #settle(version: number, error: unknown): void {
    for (const waiting of [...this.#waiting]) {
      if (waiting.version > version) continue;
      if (error === null) waiting.resolve();
      else waiting.reject(error);
    }
  }
}
