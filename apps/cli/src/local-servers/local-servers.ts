import { type Clock, linkedAbort, Stream, sleep } from "@lmserv/discovery-core/transport";
import { type LocalServerChange, type LocalServerOptions, LocalServerWatch } from "./local-server.ts";
import { type PortWatchOptions, watchPorts } from "./port-watch.ts";

export type LocalServersOptions = Omit<LocalServerOptions, "port" | "onChange" | "onError"> &
  Omit<PortWatchOptions, "isAccepted"> & {
    /** @default true if an own address accepts a connection */
    readonly isAccepted?: PortWatchOptions["isAccepted"];
  };

/**
 * Yields every change of the LLM servers of this machine, present ones first; rejects when `signal` aborts.
 */
export function watchLocalServers(options: LocalServersOptions): AsyncIterable<LocalServerChange> {
  return new Stream<LocalServerChange>({
    signal: options.signal,
    closed: new AbortController().signal,
    enqueue: (waiting, change) => waiting.set(keyOfChange(change), change),
    start: (sink) => {
      const watches = new Map<number, LocalServerWatch>();
      const ending = linkedAbort(options.signal);
      const ended = { ...options, signal: ending.signal };
      follow(ended, watches, { onChange: sink.push, onError: sink.fail }).catch(sink.fail);
      return () => {
        ending.abort();
        for (const watch of watches.values()) watch.stop(null);
      };
    },
  });
}

/** Assumes that a server answers, without asking. */
export async function* assumeServer(
  port: number,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<LocalServerChange, never> {
  yield { kind: "up", server: { port, addresses: [], identification: null } };
  // A pending timer keeps the process alive, even without a resource of a transport.
  for (;;) await sleep(clock, idleMs, signal);
}

/** Sleep of a watch that checks nothing, in ms. */
const idleMs = 3_600_000;

/** Only the latest change of a port counts, but for its end: without that a new server would be the old. */
export function keyOfChange(change: LocalServerChange): string {
  return "server" in change ? `${change.server.port}` : `${change.port} ${change.kind}`;
}

async function follow(
  options: LocalServersOptions,
  watches: Map<number, LocalServerWatch>,
  events: Pick<LocalServerOptions, "onChange" | "onError">,
): Promise<void> {
  const isAccepted = async (port: number, signal: AbortSignal): Promise<boolean> =>
    (await options.answering(port, signal)).length > 0;
  for await (const { kind, port } of watchPorts({ isAccepted, ...options })) {
    if (kind === "opened") watches.set(port, new LocalServerWatch({ ...options, ...events, port }));
    if (kind === "restarted") watches.get(port)?.refresh();
    if (kind !== "closed") continue;
    watches.get(port)?.stop("nothing listens on its port any more");
    watches.delete(port);
  }
}
