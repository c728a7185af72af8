import {
  isLoopback,
  type ObservationSink,
  observationStream,
  type SeenNode,
  type Transport,
  type TransportContext,
  type TransportSession,
} from "@lmserv/discovery-core/transport";
import type { LocalServer, LocalServerChange } from "./local-server.ts";

const localTransportName = "local";

/** Time in which each server of this machine was asked, and has answered, in ms. */
const settledMs = 2_000;

/** Yields every change of the servers of this machine; rejects when `signal` aborts. */
type Watch = (signal: AbortSignal) => AsyncIterable<LocalServerChange>;

/**
 * Makes the LLM servers of this machine a transport, which announces nothing.
 *
 * Servers that listen on loopback only are included, since this machine can use them.
 */
export function localTransport(watch: Watch, hostname: string): Transport {
  return {
    name: localTransportName,
    async open(context): Promise<TransportSession> {
      const closing = new AbortController();
      return {
        browse: (_, { signal }) =>
          observationStream({
            signal,
            closed: closing.signal,
            start: (sink) => {
              const ending = new AbortController();
              const cancel = context.clock.schedule(settledMs, () => {
                sink.push({ kind: "settled", via: localTransportName });
              });
              report(watch(ending.signal), sink, context, hostname).catch((error: unknown) => {
                if (!ending.signal.aborted) sink.fail(error);
              });
              return () => {
                cancel();
                ending.abort();
              };
            },
          }),
        [Symbol.asyncDispose]: async () => closing.abort(),
      };
    },
  };
}

async function report(
  changes: AsyncIterable<LocalServerChange>,
  sink: ObservationSink,
  { clock }: TransportContext,
  hostname: string,
): Promise<void> {
  for await (const change of changes) {
    if (change.kind === "ignored") continue;
    const via = localTransportName;
    if (change.kind === "down") {
      sink.push({ kind: "gone", via, key: `${change.port}`, reason: "unreachable" });
      continue;
    }
    const node = seenNode(change.server, hostname);
    const key = `${change.server.port}`;
    if (node) sink.push({ kind: "alive", via, key, origin: via, heardMs: clock.now(), own: true, node });
  }
}

/** Each own address that accepted a connection is proven; that on loopback goes first. */
function seenNode({ port, addresses, identification }: LocalServer, hostname: string): SeenNode | null {
  const ordered = [...addresses].sort((a, b) => Number(isLoopback(b)) - Number(isLoopback(a)));
  if (!identification || ordered.length === 0) return null;
  const { scheme, server, path, apis, models, modelsCut, auth } = identification;
  return {
    id: null,
    announcer: `${port}`,
    trust: "identified",
    port,
    scheme,
    info: hostname,
    addresses: ordered.map((address) => ({ address, reach: "source" })),
    hostname,
    path,
    server,
    apis,
    models,
    ...(modelsCut && { modelsCut }),
    auth,
    attributes: {},
  };
}
