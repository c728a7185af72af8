import { type Clock, sleep } from "@lmserv/discovery-core";
import type { ServerCheck } from "@lmserv/discovery-identify";
import { ServerRounds } from "./server-rounds.ts";

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

/** Those of this machine's addresses at which a server answers; `unknown` where nothing was checked. */
export type AnsweringAddresses = readonly [string, ...string[]] | "unknown";

/** What changed: where a server answers; or that none does (any more), and what the port shows instead. */
export type ServerState =
  | { readonly kind: "answers"; readonly at: AnsweringAddresses }
  | { readonly kind: "silent"; readonly why: ServerCheck };

/** From the start of one check to that of the next. */
const periodMs = 5_000;
/** How long a watch that checks nothing sleeps at a time. */
const idleMs = 3_600_000;

/** Tells whether, and at which addresses, a server stands behind a port: first how it is, then each change. */
export async function* watchServer(options: ServerWatchOptions): AsyncGenerator<ServerState, never> {
  const { clock, signal } = options;
  const rounds = new ServerRounds(options);
  let told: ServerState | null = null;
  for (;;) {
    signal.throwIfAborted();
    const startedMs = clock.now();
    const state = await rounds.next();
    signal.throwIfAborted();
    if (JSON.stringify(state) !== JSON.stringify(told)) {
      told = state;
      yield state;
    }
    await sleep(clock, startedMs + periodMs - clock.now(), signal);
  }
}

/** Takes for granted that a server answers, without asking. */
export async function* assumeServer(clock: Clock, signal: AbortSignal): AsyncGenerator<ServerState, never> {
  yield { kind: "answers", at: "unknown" };
  // A pending timer keeps the process alive, whatever a transport holds.
  for (;;) await sleep(clock, idleMs, signal);
}
