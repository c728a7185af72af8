import {
  type Observation,
  type ObservationSink,
  observationStream,
  type Registration,
  type ResolvedAnnouncement,
  type Transport,
  type TransportContext,
  type TransportSession,
} from "../src/authors.ts";
import { DiscoveryError } from "../src/index.ts";

/** Transport that the test controls: it reports what it is told, and records its calls. */
export class FakeTransport implements Transport {
  readonly name: string;
  /** Fault of each opening, announcement, question, browse or disposal; none by default. */
  readonly faults: Partial<Record<"open" | "announce" | "reconfirm" | "browse" | "close", () => unknown>> =
    {};
  readonly browses: Set<ObservationSink> = new Set();
  readonly announced: Set<ResolvedAnnouncement> = new Set();
  readonly asked: string[] = [];
  /** Attributes for every announcement. */
  attributes: Readonly<Record<string, string>> = {};
  opened = 0;
  closed = 0;
  context: TransportContext | null = null;

  constructor(name: string = "fake") {
    this.name = name;
  }

  async open(context: TransportContext): Promise<TransportSession> {
    await this.faults.open?.();
    this.opened += 1;
    this.context = context;
    const closing = new AbortController();
    const attributes = (): Readonly<Record<string, string>> => this.attributes;
    return {
      get attributes() {
        return attributes();
      },
      browse: (_, { signal }) => {
        this.faults.browse?.();
        return observationStream({ signal, closed: closing.signal, start: (sink) => this.#start(sink) });
      },
      announce: (node) => this.#announce(node),
      reconfirm: async (key) => {
        this.asked.push(key);
        await this.faults.reconfirm?.();
      },
      [Symbol.asyncDispose]: async () => {
        closing.abort();
        this.closed += 1;
        await this.faults.close?.();
      },
    };
  }

  /** Reports to every browse; `via` is this transport's name. */
  say(...observations: Observation[]): void {
    for (const observation of observations) {
      for (const sink of [...this.browses]) sink.push({ ...observation, via: this.name });
    }
  }

  /** Reports a fault under this transport's name. */
  report(code: DiscoveryError["code"], message: string = code): void {
    this.context?.report(new DiscoveryError(code, message, { via: this.name }));
  }

  async #announce(node: ResolvedAnnouncement): Promise<Registration> {
    await this.faults.announce?.();
    let latest = node;
    this.announced.add(latest);
    return {
      update: async (changed) => {
        this.announced.delete(latest);
        latest = changed;
        this.announced.add(latest);
      },
      [Symbol.asyncDispose]: async () => void this.announced.delete(latest),
    };
  }

  #start(sink: ObservationSink): () => void {
    this.browses.add(sink);
    return () => this.browses.delete(sink);
  }
}
