import { type Clock, DiscoveryError } from "@lmserv/discovery-core";
import type { EngineContext, EngineEvent } from "@lmserv/discovery-fleet";
import type { WatchSink } from "./bucket-watch.ts";
import { SilenceError } from "./failure.ts";
import type { Link } from "./link.ts";
import { Roster } from "./roster.ts";

/** Between two looks at whether what is listed is in the bucket, before the jitter. */
const reconcileMs = 5 * 60_000;

/** Two machines may fail together; more that fall silent at once are rather the fault of what they have in common. */
const severalValues = 3;

/** What was seen over the link before, and until when. */
export interface Past {
  readonly roster: Roster;
  readonly heardMs: number;
}

/** What is seen of the bucket over one link. */
export class View implements WatchSink {
  readonly #link: Link;
  readonly #clock: Clock;
  readonly #context: EngineContext;
  readonly #holds: (key: string) => boolean;
  #past: Past | null;
  readonly #emit: (event: EngineEvent) => void;
  readonly #roster: Roster;
  #heardMs: number;
  /** One moment on the server's clock and on ours. */
  #anchor = { serverMs: 0, localMs: 0 };
  /** Up to when the server has told all. */
  #reachedMs = 0;
  /** When anybody's value was put last. */
  #putMs: number;
  /** Nothing runs out before the server has told all up to then: announcers were away as we were. */
  #graceMs = Number.NEGATIVE_INFINITY;
  /** `doubtful`: nobody renews anything any more, which says more of the server than of all announcers. */
  #state: "filling" | "live" | "doubtful" | "ended" = "filling";
  #stopWatch: () => void = () => {};
  readonly #timers = new Set<() => void>();

  constructor(
    link: Link,
    context: EngineContext,
    holds: (key: string) => boolean,
    past: Past | null,
    emit: (event: EngineEvent) => void,
  ) {
    const { lifetimeMs, tellsExpiry } = link.bucket;
    this.#link = link;
    this.#context = context;
    this.#clock = context.clock;
    this.#holds = holds;
    this.#past = past;
    this.#emit = emit;
    // Where the server tells, its word comes first; a marker that was missed is not waited for.
    this.#roster = new Roster(lifetimeMs + (tellsExpiry ? link.timing.deafMs : 0));
    this.#heardMs = this.#clock.now();
    this.#putMs = this.#heardMs;
  }

  async start(): Promise<void> {
    this.#watchSilence(this.#link.timing.deafMs);
    this.#reconcileLater();
    try {
      const stop = await this.#link.watch(this);
      if (this.#hasEnded()) stop();
      else this.#stopWatch = stop;
    } catch (error) {
      if (!this.#hasEnded()) this.#link.fail(error);
    }
  }

  /** What it saw last; null when it has not seen all that there is. */
  stop(): Past | null {
    const past = this.#state === "live" ? { roster: this.#roster, heardMs: this.#heardMs } : null;
    this.#state = "ended";
    for (const cancel of this.#timers) cancel();
    this.#stopWatch();
    return past;
  }

  begin(serverMs: number): void {
    this.#anchor = { serverMs, localMs: this.#clock.now() };
    this.#reachedMs = this.#anchor.localMs;
  }

  put(key: string, value: string, serverMs: number): void {
    const putMs = this.#localMs(serverMs);
    if (this.#state === "live" && this.#isServerSuspect(key, putMs)) this.#spare(putMs);
    const isNews = this.#roster.put(key, value, putMs);
    if (this.#state !== "filling") this.#putMs = putMs;
    if (this.#state === "doubtful") this.#tellAll();
    else if (isNews && this.#state === "live") this.#emit({ kind: "put", key, value });
  }

  delete(key: string): void {
    if (this.#state === "filling") this.#past?.roster.delete(key);
    if (this.#roster.delete(key) && this.#state === "live")
      this.#emit({ kind: "delete", key, wasRemoved: true });
  }

  expired(key: string): void {
    if (this.#state === "filling") this.#past?.roster.age(key, this.#reachedMs);
    this.#roster.age(key, this.#reachedMs);
  }

  complete(): void {
    if (this.#state !== "filling") return;
    this.#putMs = this.#reachedMs;
    if (this.#past) this.#compare(this.#past);
    this.#past = null;
    this.#tellAll();
  }

  heard(serverMs: number | null): void {
    if (this.#hasEnded()) return;
    const nowMs = this.#clock.now();
    const { deafMs, heartbeatMs } = this.#link.timing;
    const silentMs = nowMs - this.#heardMs;
    // Whoever stood still, the server or we, what was missed is nobody's silence: the next watch tells how old all is.
    if (silentMs > deafMs) return this.#giveUp(silentMs);
    this.#heardMs = nowMs;
    if (this.#state === "filling") return;
    const reachedMs = serverMs === null ? this.#reachedMs + heartbeatMs : this.#localMs(serverMs);
    this.#reachedMs = Math.min(nowMs, reachedMs);
    const behindMs = nowMs - this.#reachedMs;
    if (behindMs > this.#link.bucket.lifetimeMs)
      return this.broken(new Error(`we are ${Math.round(behindMs)} ms behind`));
    if (this.#state === "live") this.#expire();
  }

  broken(why: Error): void {
    if (!this.#hasEnded()) this.#link.fail(why);
  }

  #hasEnded(): boolean {
    return this.#state === "ended";
  }

  /**
   * Ends what ran out up to the time of which all has been told: a process that is behind with its reading finds the
   * renewals later.
   */
  #expire(): void {
    const due = this.#roster.firstDue();
    if (due === null || due.atMs > this.#reachedMs) return;
    if (this.#isServerSuspect(due.key, this.#reachedMs)) return this.#doubt();
    for (const key of this.#runOut()) this.#emit({ kind: "delete", key, wasRemoved: false });
  }

  #runOut(): readonly string[] {
    return this.#reachedMs < this.#graceMs ? [] : this.#roster.expire(this.#reachedMs);
  }

  #spare(fromMs: number): void {
    this.#graceMs = fromMs + this.#link.timing.graceMs;
  }

  /**
   * Looks for those who are alive and not in the bucket any more. Whoever left has a marker there, and who died is missing
   * once the life of its value is over. One who is missing before that was forgotten, by a server that was replaced or lost its
   * disk; and after a time in which nobody could renew anything, those who are missing may all be alive.
   */
  #compare({ roster, heardMs }: Past): void {
    this.#spare(this.#reachedMs);
    if (this.#roster.refused > 0) return;
    const { spareMs, heartbeatMs } = this.#link.timing;
    for (const key of this.#roster.keys()) roster.delete(key);
    const ranOut = roster.expire(this.#reachedMs + heartbeatMs);
    const isLong = this.#reachedMs - heardMs > spareMs - heartbeatMs;
    if (roster.size > 0 || (isLong && ranOut.length > 0)) {
      this.#lose("was made anew, or could not be written to for a while; what it kept may be missing");
    }
  }

  /** The server's time on our clock: differences of its own, which may have been set meanwhile, and never the future. */
  #localMs(serverMs: number): number {
    return Math.min(this.#clock.now(), this.#anchor.localMs + serverMs - this.#anchor.serverMs);
  }

  #tellAll(): void {
    this.#state = "live";
    this.#runOut();
    this.#emit({ kind: "snapshot", entries: this.#roster.entries() });
  }

  /**
   * Whether the server took no values until now: nobody's was put for longer than any announcer waits, and that is so of
   * several, or of one of our own.
   */
  #isServerSuspect(key: string, nowMs: number): boolean {
    if (nowMs - this.#putMs <= this.#link.timing.muteMs) return false;
    return this.#roster.size >= severalValues || this.#holds(key);
  }

  #doubt(): void {
    this.#state = "doubtful";
    this.#lose("keeps nothing new, nobody's value is renewed any more; the disk of NATS may be full");
  }

  #lose(why: string): void {
    const message = `the bucket ${this.#link.bucket.name} ${why}`;
    const error = new DiscoveryError("MEDIUM_UNREACHABLE", message, { via: this.#context.via });
    this.#emit({ kind: "lost", error });
  }

  #giveUp(silentMs: number): void {
    this.broken(new SilenceError(new Error(`nothing was heard for ${Math.round(silentMs)} ms`)));
  }

  #watchSilence(delayMs: number): void {
    this.#after(delayMs, () => {
      const silentMs = this.#clock.now() - this.#heardMs;
      const { deafMs } = this.#link.timing;
      if (silentMs >= deafMs) this.#giveUp(silentMs);
      else this.#watchSilence(deafMs - silentMs);
    });
  }

  #reconcileLater(): void {
    this.#after(reconcileMs * (0.8 + 0.4 * this.#context.random()), async () => {
      await this.#reconcile();
      if (!this.#hasEnded()) this.#reconcileLater();
    });
  }

  /** Begins anew where something is listed that is not in the bucket. */
  async #reconcile(): Promise<void> {
    try {
      const keys = await this.#link.look();
      const missing = [...this.#roster.keys()].filter((key) => !keys.has(key));
      if (missing.length === 0) return;
      // Those that ran out just now are dropped by then.
      this.#after(this.#link.timing.deafMs, () => {
        if (missing.some((key) => this.#roster.has(key)))
          this.broken(new Error("values were taken out unseen"));
      });
    } catch (error) {
      this.#context.log("info", "the bucket could not be looked at", { error });
    }
  }

  #after(delayMs: number, run: () => void): void {
    const cancel = this.#clock.schedule(delayMs, () => {
      this.#timers.delete(cancel);
      if (!this.#hasEnded()) run();
    });
    this.#timers.add(cancel);
  }
}
