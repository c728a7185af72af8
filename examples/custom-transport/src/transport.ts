import { readFileSync } from "node:fs";
import { DiscoveryError, type DiscoveryErrorCode } from "@lmserv/discovery-core";
import {
  assertOptions,
  type BrowseQuery,
  checker,
  nameShape,
  type ObservationSink,
  observationStream,
  type Transport,
  type TransportContext,
  toDiscoveryError,
} from "@lmserv/discovery-core/transport";
import { checks } from "./codes.ts";
import { type Host, nodeOf, parseHosts } from "./hosts-file.ts";
import { required, settings } from "./settings.ts";

export interface StaticOptions {
  /** A file with one server a line: its IP address, its port, and what people know it by. */
  readonly hostsFile: string;
  /** Interval of reading the file, in ms, 100..3_600_000. @default 5_000 */
  readonly rereadMs?: number;
  /** Bound on the lines that count, 1..100_000. @default 1_000 */
  readonly maxHosts?: number;
  /** Name in a composition. @default "static" */
  readonly name?: string;
}

/**
 * Knows the servers that a file lists, for as long as it lists them; it sends nothing and cannot announce.
 *
 * @throws {TypeError | RangeError} for options that cannot be.
 */
export function staticHosts(options: StaticOptions): Transport {
  assertOptions("staticHosts", options, { ...settings, name: nameShape }, required);
  const { hostsFile, rereadMs = 5_000, maxHosts = 1_000, name = "static" } = options;
  return {
    name,
    async *diagnose() {
      const say = checker("static", checks, name);
      const { hosts, dropped } = parseHosts(read(hostsFile, name, "TRANSPORT_UNAVAILABLE"), maxHosts);
      const message = `${hostsFile} lists ${hosts.length} hosts; lines left out: ${dropped}`;
      yield hosts.length > 0
        ? say("hosts-listed", { message })
        : say("hosts-empty", { message, fix: "write one a line, such as 192.168.1.20 8000 gpu-box-01" });
    },
    async open(context, { signal }) {
      signal.throwIfAborted();
      read(hostsFile, name, "TRANSPORT_UNAVAILABLE");
      const watch = new HostsWatch({ hostsFile, rereadMs, maxHosts, name }, context);
      return {
        browse: (query, { signal }) =>
          observationStream({ signal, closed: watch.closed, start: (sink) => watch.browse(query, sink) }),
        [Symbol.asyncDispose]: () => watch.close(),
      };
    },
  };
}

interface Browse {
  readonly query: BrowseQuery;
  readonly sink: ObservationSink;
  settled: boolean;
}

/** One open session: reads the file again and again, and tells every browse what it lists. */
class HostsWatch {
  readonly #options: Required<StaticOptions>;
  readonly #context: TransportContext;
  readonly #closing = new AbortController();
  readonly #browses = new Set<Browse>();
  #listed: ReadonlySet<string> = new Set();
  #failure: DiscoveryError | null = null;
  #cancelTimer: () => void = () => {};

  constructor(options: Required<StaticOptions>, context: TransportContext) {
    this.#options = options;
    this.#context = context;
    this.#schedule();
  }

  get closed(): AbortSignal {
    return this.#closing.signal;
  }

  browse(query: BrowseQuery, sink: ObservationSink): () => void {
    const browse: Browse = { query, sink, settled: false };
    this.#browses.add(browse);
    // A session without its file stays failed: its supervisor opens another.
    if (this.#failure) sink.fail(this.#failure);
    else this.#tell();
    return () => this.#browses.delete(browse);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#cancelTimer();
  }

  #schedule(): void {
    this.#cancelTimer = this.#context.clock.schedule(this.#options.rereadMs, () => {
      this.#schedule();
      this.#tell();
    });
  }

  #tell(): void {
    const { hostsFile, name, maxHosts } = this.#options;
    try {
      const { hosts, dropped } = parseHosts(read(hostsFile, name, "TRANSPORT_FAILED"), maxHosts);
      if (dropped > 0)
        this.#context.log("debug", "lines of the hosts file were left out", { via: name, dropped });
      for (const browse of [...this.#browses]) this.#report(browse, hosts);
      this.#listed = new Set(hosts.map(keyOf));
    } catch (error) {
      this.#fail(toDiscoveryError(error, "TRANSPORT_FAILED", name));
    }
  }

  #report(browse: Browse, hosts: readonly Host[]): void {
    const { sink, query } = browse;
    const via = this.#options.name;
    const keys = new Set(hosts.map(keyOf));
    const ttlMs = Math.max(query.ttlMs, 2 * this.#options.rereadMs);
    for (const key of this.#listed)
      if (!keys.has(key)) sink.push({ kind: "gone", via, key, reason: "goodbye" });
    // The hosts themselves are not heard, only the file.
    const report = { kind: "alive", via, heardMs: null, ttlMs } as const;
    for (const host of hosts)
      sink.push({ ...report, key: keyOf(host), origin: host.address, node: nodeOf(host) });
    if (!browse.settled) sink.push({ kind: "settled", via });
    browse.settled = true;
  }

  #fail(error: DiscoveryError): void {
    this.#failure = error;
    this.#cancelTimer();
    if (this.#browses.size === 0) this.#context.report(error);
    for (const { sink } of [...this.#browses]) sink.fail(error);
  }
}

function keyOf({ address, port }: Host): string {
  return `${address} ${port}`;
}

/** A small file of this machine: reading it at once keeps everything else simple. */
function read(file: string, via: string, code: DiscoveryErrorCode): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new DiscoveryError(code, `${via}: the hosts file ${file} cannot be read`, { via, cause });
  }
}
