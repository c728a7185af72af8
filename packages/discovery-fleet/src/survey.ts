import { type Clock, sleep } from "@lmserv/discovery-core";
import type { Identification, LookOptions, Quiet, Verdict } from "@lmserv/discovery-identify";
import { HostShares, type Subject } from "./host-shares.ts";

export type Look = (options: LookOptions) => Promise<Verdict>;

interface Question {
  readonly subject: Subject;
  readonly isWanted: () => boolean;
  readonly onAnswer: (isAlive: boolean) => void;
}

/** What one process asks in a second, in however many fleets it is. */
const perSecond = 20;
/** A question takes some seconds at most; more than these at once would be sockets for nothing. */
const maxAtOnce = 64;
/** Nobody is asked at the moment when all processes lose the engine. */
const maxHeadStartMs = 1_000;
/** Who does not answer at the two most likely addresses is not there for us. */
const maxAddresses = 2;
/** Questions that wait for their host are looked at again after so long. */
const lookAgainMs = 1_000;

/** Spaces the questions of one process, which has one clock. */
class Pace {
  readonly shares = new HostShares();
  #freeMs = Number.NEGATIVE_INFINITY;

  /** How long to wait until the next question may leave. */
  take(nowMs: number): number {
    const atMs = Math.max(nowMs, this.#freeMs);
    this.#freeMs = atMs + 1_000 / perSecond;
    return atMs - nowMs;
  }
}

const paces = new WeakMap<Clock, Pace>();

function paceOf(clock: Clock): Pace {
  const pace = paces.get(clock) ?? new Pace();
  paces.set(clock, pace);
  return pace;
}

export interface SurveyOptions {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly look: Look;
  /** Aborting it ends every question, without an answer. */
  readonly signal: AbortSignal;
}

/** Asks the nodes themselves whether they are there, slowly and in no order. */
export class Survey {
  readonly #options: SurveyOptions;
  readonly #waiting: Question[] = [];
  readonly #running = new Set<Promise<void>>();
  #asking: Promise<void> | null = null;

  constructor(options: SurveyOptions) {
    this.#options = options;
  }

  /** Asks one node when its turn comes, unless `isWanted` says by then that nobody cares. */
  ask(subject: Subject, isWanted: () => boolean, onAnswer: (isAlive: boolean) => void): void {
    const place = Math.floor(this.#options.random() * (this.#waiting.length + 1));
    const addresses = subject.addresses.slice(0, maxAddresses);
    this.#waiting.splice(place, 0, { subject: { ...subject, addresses }, isWanted, onAnswer });
    this.#asking ??= this.#askAll().finally(() => {
      this.#asking = null;
    });
  }

  /** Resolves when every question has ended; abort first. */
  async end(): Promise<void> {
    await this.#asking;
  }

  /** Never rejects: an abort asks nobody. */
  async #askAll(): Promise<void> {
    const { clock, random, signal } = this.#options;
    try {
      await sleep(clock, random() * maxHeadStartMs, signal);
      while (this.#waiting.length + this.#running.size > 0 && !signal.aborted) {
        const next = this.#running.size < maxAtOnce ? this.#next() : undefined;
        if (next) this.#start(next);
        else if (this.#running.size > 0) await Promise.race(this.#running);
        else if (this.#waiting.length > 0) await sleep(clock, lookAgainMs, signal);
      }
    } catch {
      // Aborted: nobody waits for an answer any more.
    }
    this.#waiting.length = 0;
    await Promise.all(this.#running);
  }

  /** The first question that is still wanted, and whose host has room for it. */
  #next(): Question | undefined {
    const { clock } = this.#options;
    const wanted = this.#waiting.filter((question) => question.isWanted());
    const index = wanted.findIndex(({ subject }) => paceOf(clock).shares.take(subject, clock.now()));
    const [next] = index < 0 ? [] : wanted.splice(index, 1);
    this.#waiting.splice(0, this.#waiting.length, ...wanted);
    return next;
  }

  #start(question: Question): void {
    const running = this.#ask(question).finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  async #ask(question: Question): Promise<void> {
    const { clock } = this.#options;
    const isAlive = await this.#isAlive(question).catch(() => null);
    if (isAlive) paceOf(clock).shares.answered(question.subject, clock.now());
    if (isAlive !== null && !this.#options.signal.aborted) question.onAnswer(isAlive);
  }

  /** Null when nobody could be asked. */
  async #isAlive(question: Question): Promise<boolean | null> {
    const { subject } = question;
    const slow: string[] = [];
    for (const host of subject.addresses) {
      const verdict = await this.#look(question, host, false);
      if (verdict.kind === "silent" && worthPatience[verdict.why]) slow.push(host);
      else if (isThere(verdict, subject)) return true;
    }
    const [host] = slow;
    return host === undefined ? false : isThere(await this.#look(question, host, true), subject);
  }

  async #look({ subject, isWanted }: Question, host: string, patient: boolean): Promise<Verdict> {
    const { clock, signal, look } = this.#options;
    await sleep(clock, paceOf(clock).take(clock.now()), signal);
    // The engine came back while we waited: the answer would be nobody's.
    if (!isWanted()) return { kind: "silent", why: "unasked" };
    return look({ clock, signal, host, port: subject.port, patient });
  }
}

/** Whether more time may bring an answer, or another. */
const worthPatience: Readonly<Record<Quiet, boolean>> = {
  "no-connection": true,
  "no-answer": true,
  refused: false,
  "no-route": false,
  closed: false,
  unasked: true,
};

/** Whether a node is there that gives no answer; null where that says nothing. */
const presence: Readonly<Record<Quiet, boolean | null>> = {
  // Busy: some servers answer nobody while they generate.
  "no-answer": true,
  "no-connection": false,
  refused: false,
  "no-route": false,
  closed: false,
  unasked: null,
};

/** A server that says that it is another node is not this one; one that we cannot tell the kind of may be. */
function isThere(verdict: Verdict, { id }: Subject): boolean | null {
  if (verdict.kind === "silent") return presence[verdict.why];
  if (verdict.kind === "document") return false;
  return verdict.kind === "other" || isSame(verdict.identification, id);
}

function isSame({ id }: Identification, expected: string): boolean {
  return id === null || id === expected;
}
