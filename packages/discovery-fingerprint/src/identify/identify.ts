import { assertPort, type Clock, linkedAbort } from "@lmserv/discovery-core/transport";
import { maxPortsAtOnce } from "../http/limits.ts";
import { assertAddress, fingerprint } from "./fingerprint.ts";
import { serversOf } from "./fingerprint-result.ts";
import type { Identification } from "./identification.ts";

export interface IdentifyOptions {
  readonly clock: Clock;
  /** Ends the iteration with its reason when aborted. */
  readonly signal: AbortSignal;
  /** IPv4, or IPv6 with its `%zone` when link-local. */
  readonly host: string;
  /** Each 1..65535; asked in this order, eight at a time. */
  readonly ports: readonly number[];
  /** True for a second look at a host that stayed silent, with longer limits. @default false */
  readonly patient?: boolean;
}

/**
 * Yields each LLM server of a host as soon as it is known; other ports yield nothing.
 *
 * A server is yielded again when its document, on another port, was read after its own port.
 *
 * @throws {TypeError | RangeError} at once, when `host` is no address or a port no port; afterwards,
 * `signal.reason`.
 */
export function identify(options: IdentifyOptions): AsyncIterable<Identification> {
  assertAddress(options.host);
  for (const port of options.ports) assertPort(port);
  return servers(options);
}

async function* servers(options: IdentifyOptions): AsyncGenerator<Identification, void> {
  options.signal.throwIfAborted();
  const ending = linkedAbort(options.signal);
  const waiting = [...new Set(options.ports)];
  const running = new Map<number, Promise<Answer>>();
  const documented = new Set<number>();
  try {
    while (waiting.length > 0 || running.size > 0) {
      for (const port of waiting.splice(0, maxPortsAtOnce - running.size)) {
        running.set(port, ask(port, { ...options, signal: ending.signal }));
      }
      const { port, servers } = await Promise.race(running.values());
      options.signal.throwIfAborted();
      running.delete(port);
      for (const found of servers) {
        if (documented.has(found.port) && !found.document) continue;
        if (found.document) documented.add(found.port);
        yield found;
      }
    }
  } finally {
    ending.abort();
    await Promise.all(running.values());
  }
}

interface Answer {
  readonly port: number;
  readonly servers: readonly Identification[];
}

/** Never rejects: an abort finds nothing. */
async function ask(port: number, options: Omit<IdentifyOptions, "ports">): Promise<Answer> {
  try {
    return { port, servers: serversOf(await fingerprint({ ...options, port })) };
  } catch {
    return { port, servers: [] };
  }
}
