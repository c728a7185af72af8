import { DiscoveryError } from "@lmserv/discovery-core";
import type { Clock } from "@lmserv/discovery-core/transport";
import type { StoreContext, Watcher } from "@lmserv/discovery-store";
import { NoAnswerError } from "./error-mapping.ts";
import { NodeTable } from "./node-table.ts";
import type { ServerConnection } from "./server-connection.ts";
import type { WatchSink } from "./watch.ts";

export interface ViewHost {
  /** Returns true if we hold the value of that key. */
  holds(key: string): boolean;
  /** Called when the bucket is another than before. */
  lose(error: DiscoveryError): void;
}

/** Interval of comparing the list with the bucket, before the jitter. */
const reconcileMs = 5 * 60_000;
/**
 * Two machines may fail together; more that fall silent at once suggest a shared fault, such as the server's.
 */
const severalValues = 3;
/** Duration of that suspicion, in lifetimes. */
const doubtLifetimes = 2;

/** View of the bucket, over one link after another. */
export class View implements WatchSink {
  readonly #context: StoreContext;
  readonly #clock: Clock;
  readonly #watcher: Watcher;
  readonly #host: ViewHost;
  readonly #nodeTable = new NodeTable();
  #link: ServerConnection | null = null;
  /** Values of the link before that the present one has not reported yet. */
  #missing = new Set<string>();
  #heardMs: number;
  /** One moment on the server's clock and on ours. */
  #anchor = { serverMs: 0, localMs: 0 };
  /** Server time up to which everything was reported. */
  #reachedMs = 0;
  #putMs: number;
  /**
   * Nothing expires before the server has reported everything up to this time: announcers were cut off with
   * us.
   */
  #graceMs = Number.NEGATIVE_INFINITY;
  #isFilling = true;
  #stopWatch: () => void = () => {};
  readonly #timers = new Set<() => void>();

  constructor(context: StoreContext, watcher: Watcher, host: ViewHost) {
    this.#context = context;
    this.#clock = context.clock;
    this.#watcher = watcher;
    this.#host = host;
    this.#heardMs = this.#clock.now();
    this.#putMs = this.#heardMs;
  }

  /** Time of the server's latest message. */
  get heardMs(): number {
    return this.#heardMs;
  }

  /** Reads everything over a link, then changes. */
  async follow(link: ServerConnection): Promise<void> {
    this.#link = link;
    this.#isFilling = true;
    this.#missing = new Set(this.#nodeTable.keys());
    this.#heardMs = this.#clock.now();
    this.#watchSilence(link.timing.deafMs);
    this.#reconcileLater();
    try {
      const stop = await link.watch(this);
      if (link === this.#link) this.#stopWatch = stop;
      else stop();
    } catch (error) {
      link.fail(error);
    }
  }

  /** Ends the use of the link. */
  leave(): void {
    this.#link = null;
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
    this.#stopWatch();
    this.#stopWatch = () => {};
  }

  begin(serverMs: number): void {
    this.#anchor = { serverMs, localMs: this.#clock.now() };
    this.#reachedMs = this.#anchor.localMs;
    // Announcers were cut off with us.
    if (this.#nodeTable.size > 0) this.#spare(this.#reachedMs);
  }

  put(key: string, value: string, serverMs: number): void {
    const putMs = this.#localMs(serverMs);
    if (this.#isFilling && this.#endOf(putMs) <= this.#reachedMs) return;
    if (!this.#isFilling && this.#isServerSuspect(key, putMs)) this.#spare(putMs);
    if (!this.#isFilling) this.#putMs = putMs;
    this.#missing.delete(key);
    this.#makeRoom(key);
    if (this.#nodeTable.put(key, value, this.#endOf(putMs))) this.#watcher.put(key, value);
  }

  #makeRoom(key: string): void {
    const loser = this.#nodeTable.loserTo(key);
    if (loser === null) return;
    this.#nodeTable.displace(loser);
    this.#watcher.delete(loser, false);
  }

  delete(key: string): void {
    this.#missing.delete(key);
    if (this.#nodeTable.delete(key)) this.#watcher.delete(key, true);
  }

  expired(key: string): void {
    this.#missing.delete(key);
    this.#nodeTable.age(key, this.#reachedMs);
  }

  complete(): void {
    if (!this.#isFilling) return;
    this.#isFilling = false;
    this.#putMs = this.#reachedMs;
    if (this.#hasForgotten()) {
      return this.#host.lose(this.#error("was made anew; what it kept may be missing"));
    }
    this.#watcher.complete(this.#nodeTable);
  }

  heard(serverMs: number | null): void {
    const link = this.#link;
    if (!link) return;
    const nowMs = this.#clock.now();
    const { deafMs, heartbeatMs } = link.timing;
    const silentMs = nowMs - this.#heardMs;
    // After a standstill of the server or of this process, silence proves nothing: the next watch reads all
    // ages.
    if (silentMs > deafMs) return this.#giveUp(silentMs);
    this.#heardMs = nowMs;
    if (this.#isFilling) return;
    const reachedMs = serverMs === null ? this.#reachedMs + heartbeatMs : this.#localMs(serverMs);
    this.#reachedMs = Math.min(nowMs, reachedMs);
    const behindMs = nowMs - this.#reachedMs;
    if (behindMs > link.bucket.lifetimeMs) this.broken(new Error(`we are ${Math.round(behindMs)} ms behind`));
    else this.#expire();
  }

  broken(why: Error): void {
    this.#link?.fail(why);
  }

  /** End of a value; later if the server reports ends, so that its marker has time to arrive. */
  #endOf(putMs: number): number {
    const { bucket, timing } = this.#link ?? {};
    return putMs + (bucket?.lifetimeMs ?? 0) + (bucket?.tellsExpiry ? (timing?.deafMs ?? 0) : 0);
  }

  /**
   * Expires values by the time up to which everything was reported: a process that lags behind reads the
   * renewals later.
   */
  #expire(): void {
    const due = this.#nodeTable.firstDue();
    if (due === null || due.atMs > this.#reachedMs || this.#reachedMs < this.#graceMs) return;
    if (this.#isServerSuspect(due.key, this.#reachedMs) && this.#doubt()) return;
    for (const key of this.#nodeTable.expire(this.#reachedMs)) this.#watcher.delete(key, false);
  }

  #spare(fromMs: number): void {
    this.#graceMs = fromMs + (this.#link?.timing.graceMs ?? 0);
  }

  /**
   * True if a value is missing before its end, as in a bucket that was made anew.
   *
   * A leave has a marker, and a dead announcer's value lasts until its end.
   */
  #hasForgotten(): boolean {
    const { heartbeatMs = 0 } = this.#link?.timing ?? {};
    if (this.#nodeTable.refused > 0) return false;
    return [...this.#missing].some((key) => this.#nodeTable.endOf(key) > this.#reachedMs + heartbeatMs);
  }

  /**
   * Server time on our clock: differences between server times only, since it may have been set, and never
   * the future.
   */
  #localMs(serverMs: number): number {
    return Math.min(this.#clock.now(), this.#anchor.localMs + serverMs - this.#anchor.serverMs);
  }

  /**
   * True if the server took no values until now.
   *
   * No put was seen for longer than any announcer waits. It takes several silent values, or one of our own.
   */
  #isServerSuspect(key: string, nowMs: number): boolean {
    if (nowMs - this.#putMs <= (this.#link?.timing.muteMs ?? 0)) return false;
    return this.#nodeTable.size >= severalValues || this.#host.holds(key);
  }

  /** Suspends expiry for a while: nothing is renewed any more, which suggests a fault of the server. */
  #doubt(): boolean {
    const untilMs = this.#putMs + doubtLifetimes * (this.#link?.bucket.lifetimeMs ?? 0);
    if (this.#reachedMs >= untilMs) return false;
    this.#graceMs = untilMs;
    this.#context.report(
      this.#error("takes no values, and none is renewed any more; the disk of NATS may be full"),
    );
    return true;
  }

  #error(why: string): DiscoveryError {
    const { via, cluster } = this.#context;
    return new DiscoveryError(
      "MEDIUM_UNREACHABLE",
      `the bucket ${this.#link?.bucket.name ?? cluster} ${why}`,
      { via },
    );
  }

  #giveUp(silentMs: number): void {
    this.broken(new NoAnswerError(new Error(`nothing was heard for ${Math.round(silentMs)} ms`)));
  }

  #watchSilence(delayMs: number): void {
    this.#after(delayMs, () => {
      const silentMs = this.#clock.now() - this.#heardMs;
      const { deafMs = 0 } = this.#link?.timing ?? {};
      if (silentMs >= deafMs) this.#giveUp(silentMs);
      else this.#watchSilence(deafMs - silentMs);
    });
  }

  #reconcileLater(): void {
    this.#after(reconcileMs * (0.8 + 0.4 * this.#context.random()), async () => {
      const link = this.#link;
      if (link) await this.#reconcile(link);
      if (link && link === this.#link) this.#reconcileLater();
    });
  }

  /** Starts anew if a listed value is not in the bucket. */
  async #reconcile(link: ServerConnection): Promise<void> {
    try {
      const keys = await link.look();
      const missing = [...this.#nodeTable.keys()].filter((key) => !keys.has(key));
      if (missing.length === 0 || link !== this.#link) return;
      // Values that just expired are dropped by then.
      this.#after(link.timing.deafMs, () => {
        if (missing.some((key) => this.#nodeTable.has(key)))
          this.broken(new Error("values were taken out unseen"));
      });
    } catch (error) {
      this.#context.log("info", "the bucket could not be looked at", { error });
    }
  }

  #after(delayMs: number, run: () => void): void {
    const cancel = this.#clock.schedule(delayMs, () => {
      this.#timers.delete(cancel);
      run();
    });
    this.#timers.add(cancel);
  }
}
