import { type Clock, isLoopback, onAbort, sleep } from "@lmserv/discovery-core";

/** Resolves when somebody accepts a connection; rejects otherwise, and when `signal` aborts. */
export type Connect = (address: string, port: number, signal: AbortSignal) => Promise<void>;

export interface ServerWatchOptions {
  readonly port: number;
  readonly clock: Clock;
  readonly connect: Connect;
  /** Where the server may listen: this machine's addresses as of now, loopback included. */
  readonly addresses: () => readonly string[];
  /** Ends the watch: the iteration rejects with its reason. */
  readonly signal: AbortSignal;
}

/** What changed: somebody answers on the port, on these addresses; or nobody does (any more). */
export type ServerState =
  | { readonly kind: "answers"; readonly addresses: readonly string[] }
  | { readonly kind: "silent" };

/** From the start of one check to that of the next. */
const periodMs = 5_000;
/** Local connections answer in less than 1 ms; a server too busy to accept gets this long. */
const checkMs = 1_000;
/** One failure may be a restart, or a full queue. With the period: a crash is noticed within 11 s. */
const failuresUntilSilent = 2;
/** How long a watch that checks nothing sleeps at a time. */
const idleMs = 3_600_000;

/**
 * Tells, by connecting, whether a server answers on a port: first how it is, then each change.
 *
 * Checks every 5 s. While the server answers, a check is one connection to one address, so as not to
 * fill the queue of a server that is busy; after a failure, and until it answers, every address is tried.
 */
export async function* watchServer(options: ServerWatchOptions): AsyncGenerator<ServerState, never> {
  const { clock, signal } = options;
  let answering: boolean | null = null;
  let failures = 0;
  let proven: string | null = null;
  for (;;) {
    signal.throwIfAborted();
    const startedMs = clock.now();
    const answered = await tryAll(proven === null ? options.addresses() : [proven], options);
    signal.throwIfAborted();
    proven = preferred(answered);
    failures = proven === null ? failures + 1 : 0;
    if (proven !== null && !answering) {
      answering = true;
      yield { kind: "answers", addresses: answered };
    } else if (answering === null || (answering && failures >= failuresUntilSilent)) {
      answering = false;
      yield { kind: "silent" };
    }
    await sleep(clock, startedMs + periodMs - clock.now(), signal);
  }
}

/** Loopback last: it alone tells nothing of what others can reach. */
function preferred(answered: readonly string[]): string | null {
  return answered.find((address) => !isLoopback(address)) ?? answered[0] ?? null;
}

/** The addresses that accepted a connection within the time of one check. */
async function tryAll(
  addresses: readonly string[],
  { clock, connect, port, signal }: ServerWatchOptions,
): Promise<readonly string[]> {
  // Not `AbortSignal.any`: on Node 20 each use leaves something behind on a signal that lives on.
  const ending = new AbortController();
  const end = (): void => ending.abort();
  const stops = [clock.schedule(checkMs, end), onAbort(signal, end)];
  const attempt = (address: string): Promise<string | null> =>
    connect(address, port, ending.signal).then(
      () => address,
      () => null,
    );
  const answered = await Promise.all(addresses.map(attempt));
  for (const stop of stops) stop();
  return answered.filter((address) => address !== null);
}

/** Takes for granted that a server answers, without asking. */
export async function* assumeServer(clock: Clock, signal: AbortSignal): AsyncGenerator<ServerState, never> {
  yield { kind: "answers", addresses: [] };
  // A pending timer keeps the process alive, whatever a transport holds.
  for (;;) await sleep(clock, idleMs, signal);
}
