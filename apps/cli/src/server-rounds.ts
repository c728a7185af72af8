import { isLoopback } from "@lmserv/discovery-core";
import type { ServerCheck } from "@lmserv/discovery-identify";
import type { ServerState, ServerWatchOptions } from "./server-watch.ts";

/** How often a server that is there is asked, and not only connected to: whoever closes late is noticed by that. */
const askEveryMs = 30_000;
/** How often every address is tried while the server is there: one that is bound anew is noticed by that. */
const tryAllEveryMs = 60_000;
/** One failure may be a restart. With five seconds from round to round: a crash is noticed within 11 s. */
const failuresUntilSilent = 2;

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

/** What a round of checks found. */
interface Outcome {
  readonly answered: readonly string[];
  /** What the port shows where no server is. */
  readonly why: ServerCheck;
}

/**
 * Checks in a row, and what they come to.
 *
 * While the server is there, a round is one connection to one address, so as not to fill the queue of a server that is
 * busy; it is asked at first, after a failure, and every 30 s. Every address is tried until the server is there, after
 * a failure, when this machine's addresses change, and every 60 s. Twice missed, an address is one no more.
 */
export class ServerRounds {
  readonly #options: ServerWatchOptions;
  #state: ServerState = { kind: "silent", why: "refused" };
  /** Where the server was at the last round; null where it was not. */
  #proven: string | null = null;
  /** Where it was, and was missed at the last round. */
  #doubted: ReadonlySet<string> = new Set();
  #failures = 0;
  #askedMs = Number.NEGATIVE_INFINITY;
  #triedAllMs = Number.NEGATIVE_INFINITY;
  /** This machine's addresses when all were tried. */
  #tried: readonly string[] = [];

  constructor(options: ServerWatchOptions) {
    this.#options = options;
  }

  async next(): Promise<ServerState> {
    const own = this.#options.addresses();
    const only = this.#isQuick(own) ? this.#proven : null;
    const { answered, why } = await (only === null ? this.#tryAll(own) : this.#try([only]));
    this.#proven = preferred(answered);
    this.#failures = this.#proven === null ? this.#failures + 1 : 0;
    if (only === null) this.#revise(own, answered);
    else if (this.#proven === null) this.#doubted = new Set([only]);
    if (this.#proven === null && (this.#known.length === 0 || this.#failures >= failuresUntilSilent)) {
      this.#state = { kind: "silent", why };
      this.#doubted = new Set();
    }
    return this.#state;
  }

  /** Where the server is said to be. */
  get #known(): readonly string[] {
    return this.#state.kind === "answers" && this.#state.at !== "unknown" ? this.#state.at : [];
  }

  #isQuick(own: readonly string[]): boolean {
    const isDue = this.#options.clock.now() - this.#triedAllMs >= tryAllEveryMs;
    return this.#proven !== null && this.#doubted.size === 0 && !isDue && own.join() === this.#tried.join();
  }

  #tryAll(own: readonly string[]): Promise<Outcome> {
    this.#triedAllMs = this.#options.clock.now();
    this.#tried = own;
    return this.#try(own);
  }

  async #try(addresses: readonly string[]): Promise<Outcome> {
    const checks = await Promise.all(
      addresses.map(async (address) => ({ address, check: await this.#check(address, false) })),
    );
    const answered = checks.flatMap(({ address, check }) => (this.#isThere(address, check) ? [address] : []));
    if (answered.length > 0 && this.#isToBeAsked()) return this.#askOneOf(answered);
    return { answered, why: mostTelling(checks.map(({ check }) => check)) };
  }

  #isToBeAsked(): boolean {
    return this.#failures > 0 || this.#known.length === 0 || this.#isAskDue();
  }

  #isAskDue(): boolean {
    return this.#options.clock.now() - this.#askedMs >= askEveryMs;
  }

  /** Asks one address after the other until a server is behind one; those that have none are left out. */
  async #askOneOf(addresses: readonly string[]): Promise<Outcome> {
    this.#askedMs = this.#options.clock.now();
    const whys: ServerCheck[] = [];
    let left = addresses;
    for (let next = preferred(left); next !== null; next = preferred(left)) {
      const asked = next;
      const check = await this.#check(asked, true);
      if (this.#isThere(asked, check)) break;
      whys.push(check);
      left = left.filter((address) => address !== asked);
    }
    return { answered: left, why: mostTelling(whys) };
  }

  /** Takes what all addresses showed for where the server is; what is missing for the first time is only doubted. */
  #revise(own: readonly string[], answered: readonly string[]): void {
    const missed = this.#known.filter((address) => own.includes(address) && !answered.includes(address));
    const kept = answered.length === 0 ? missed : missed.filter((address) => !this.#doubted.has(address));
    this.#doubted = new Set(kept);
    const [first, ...others] = own.filter((address) => answered.includes(address) || kept.includes(address));
    if (first !== undefined) this.#state = { kind: "answers", at: [first, ...others] };
  }

  #isThere(address: string, check: ServerCheck): boolean {
    const wasThere = this.#known.includes(address) && !this.#doubted.has(address);
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
