import { type Clock, isLoopback, sleep } from "@lmserv/discovery-core";
import type { ServerCheck } from "@lmserv/discovery-identify";

export interface Question {
  readonly address: string;
  readonly port: number;
  /** Whether it is asked over HTTP; otherwise it is only connected to. */
  readonly ask: boolean;
  readonly signal: AbortSignal;
}

/** Resolves with how a port stands; rejects only when `signal` aborts. */
export type Check = (question: Question) => Promise<ServerCheck>;

export interface ServerWatchOptions {
  readonly port: number;
  readonly clock: Clock;
  readonly check: Check;
  /** Where the server may listen: this machine's addresses as of now, loopback included. */
  readonly addresses: () => readonly string[];
  /** Ends the watch: the iteration rejects with its reason. */
  readonly signal: AbortSignal;
}

/** What changed: a server is there, on these addresses; or none is (any more), and what the port shows instead. */
export type ServerState =
  | { readonly kind: "answers"; readonly addresses: readonly string[] }
  | { readonly kind: "silent"; readonly why: ServerCheck };

/** From the start of one check to that of the next. */
const periodMs = 5_000;
/** How often a server that is there is asked, and not only connected to: whoever closes late is noticed by that. */
const askEveryMs = 30_000;
/** One failure may be a restart. With the period: a crash is noticed within 11 s. */
const failuresUntilSilent = 2;
/** How long a watch that checks nothing sleeps at a time. */
const idleMs = 3_600_000;

/**
 * What a check says of the server: that it is there, that it is not, or nothing new.
 *
 * A busy server accepts and does not answer. A full queue of connections looks like an address that leads nowhere, but
 * a port of this machine that nobody listens on refuses. So neither ends an announcement, and only the first begins one.
 */
const meaning: Readonly<Record<ServerCheck, "there" | "missing" | "unknown">> = {
  serving: "there",
  "no-answer": "there",
  "no-connection": "unknown",
  unasked: "unknown",
  refused: "missing",
  "no-route": "missing",
  closed: "missing",
  foreign: "missing",
  failing: "missing",
};

/**
 * Tells whether a server stands behind a port: first how it is, then each change.
 *
 * Checks every 5 s. While the server is there, a check is one connection to one address, so as not to fill the queue of
 * a server that is busy; it is asked at first, after a failure, and every 30 s. After a failure, and until it is there,
 * every address is tried.
 */
export async function* watchServer(options: ServerWatchOptions): AsyncGenerator<ServerState, never> {
  const { clock, signal } = options;
  const rounds = new Rounds(options);
  let told: ServerState | null = null;
  for (;;) {
    signal.throwIfAborted();
    const startedMs = clock.now();
    const state = await rounds.next();
    signal.throwIfAborted();
    if (isNews(state, told)) {
      told = state;
      yield state;
    }
    await sleep(clock, startedMs + periodMs - clock.now(), signal);
  }
}

function isNews(state: ServerState, told: ServerState | null): boolean {
  if (state.kind !== told?.kind) return true;
  return state.kind === "silent" && told.kind === "silent" && state.why !== told.why;
}

/** Checks in a row, and what they come to. */
class Rounds {
  readonly #options: ServerWatchOptions;
  #state: ServerState = { kind: "silent", why: "refused" };
  /** Where the server was at the last check; null where it was not. */
  #proven: string | null = null;
  #failures = 0;
  #askedMs = Number.NEGATIVE_INFINITY;

  constructor(options: ServerWatchOptions) {
    this.#options = options;
  }

  async next(): Promise<ServerState> {
    const { answered, why } = await this.#round();
    this.#proven = preferred(answered);
    this.#failures = this.#proven === null ? this.#failures + 1 : 0;
    if (this.#proven !== null && this.#state.kind === "silent") {
      this.#state = { kind: "answers", addresses: answered };
    } else if (
      this.#proven === null &&
      (this.#state.kind === "silent" || this.#failures >= failuresUntilSilent)
    ) {
      this.#state = { kind: "silent", why };
    }
    return this.#state;
  }

  /** The addresses at which the server is, and what the port shows where it is not. */
  async #round(): Promise<{ readonly answered: readonly string[]; readonly why: ServerCheck }> {
    const own = this.#options.addresses();
    const proven = this.#proven !== null && own.includes(this.#proven) ? this.#proven : null;
    const checks = await Promise.all(
      (proven === null ? own : [proven]).map(async (address) => ({
        address,
        check: await this.#check(address, false),
      })),
    );
    const open = checks.filter(({ address, check }) => this.#isThere(check, address === proven));
    const answered = open.map(({ address }) => address);
    if (answered.length > 0 && this.#isToBeAsked(proven)) return this.#askOneOf(answered, proven);
    return { answered, why: mostTelling(checks.map(({ check }) => check)) };
  }

  #isToBeAsked(proven: string | null): boolean {
    return proven === null || this.#options.clock.now() - this.#askedMs >= askEveryMs;
  }

  /** Asks one address after the other until a server is behind one; those that have none are left out. */
  async #askOneOf(addresses: readonly string[], proven: string | null) {
    this.#askedMs = this.#options.clock.now();
    const whys: ServerCheck[] = [];
    let left = addresses;
    for (let next = preferred(left); next !== null; next = preferred(left)) {
      const asked = next;
      const check = await this.#check(asked, true);
      if (this.#isThere(check, asked === proven)) break;
      whys.push(check);
      left = left.filter((address) => address !== asked);
    }
    return { answered: left, why: mostTelling(whys) };
  }

  #isThere(check: ServerCheck, wasThere: boolean): boolean {
    return meaning[check] === "there" || (wasThere && meaning[check] === "unknown");
  }

  #check(address: string, ask: boolean): Promise<ServerCheck> {
    const { check, port, signal } = this.#options;
    return check({ address, port, ask, signal });
  }
}

/** Loopback last: it alone tells nothing of what others can reach. */
function preferred(answered: readonly string[]): string | null {
  return answered.find((address) => !isLoopback(address)) ?? answered[0] ?? null;
}

/** What somebody on the port does says more than that nobody is. */
function mostTelling(checks: readonly ServerCheck[]): ServerCheck {
  return checks.find((check) => ["closed", "foreign", "failing"].includes(check)) ?? checks[0] ?? "refused";
}

/** Takes for granted that a server answers, without asking. */
export async function* assumeServer(clock: Clock, signal: AbortSignal): AsyncGenerator<ServerState, never> {
  yield { kind: "answers", addresses: [] };
  // A pending timer keeps the process alive, whatever a transport holds.
  for (;;) await sleep(clock, idleMs, signal);
}
