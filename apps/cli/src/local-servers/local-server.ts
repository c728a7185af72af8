import { type Clock, isLoopback, sleep } from "@lmserv/discovery-core/transport";
import type { Fingerprint, Identification } from "@lmserv/discovery-fingerprint";

/** Server of this machine, by its own description. */
export interface LocalServer {
  readonly port: number;
  /** Own addresses that accepted a connection; all loopback if other hosts cannot reach it. */
  readonly addresses: readonly string[];
  /** Null for an HTTP server that does not appear to be an LLM server. */
  readonly identification: Identification | null;
}

/** Change of a server of this machine; a port without one is reported once, with its reason. */
export type LocalServerChange =
  | { readonly kind: "up" | "updated"; readonly server: LocalServer }
  | { readonly kind: "down"; readonly port: number; readonly reason: string }
  | { readonly kind: "ignored"; readonly port: number; readonly reason: string };

export interface LocalServerOptions {
  readonly port: number;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Own addresses that accept a connection to the port, loopback included. */
  readonly answering: (port: number, signal: AbortSignal) => Promise<readonly string[]>;
  /** Identifies the LLM server that answers. */
  readonly fingerprint: (address: string, port: number, signal: AbortSignal) => Promise<Fingerprint>;
  /** True if any HTTP server counts, since the user named the port. */
  readonly isNamed: boolean;
  readonly onChange: (change: LocalServerChange) => void;
  /** Receives a defect that ended the watch. */
  readonly onError: (error: unknown) => void;
}

/** Interval of the looks at a described server, in ms. */
const refreshMs = 30_000;
/** Interval for a port without a server so far, in ms: it may be starting. */
const retryMs = 5_000;
/** Share of an interval by which looks spread. */
const spread = 0.1;
/** Looks in a row without a server until a present one is down. */
const missesUntilDown = 2;

/** Describes the server on one open port, and keeps the description up to date. */
export class LocalServerWatch {
  readonly #options: LocalServerOptions;
  readonly #ending = new AbortController();
  #turn = new AbortController();
  #server: LocalServer | null = null;
  #misses = 0;
  #ignoredFor: string | null = null;

  constructor(options: LocalServerOptions) {
    this.#options = options;
    this.#run().catch(options.onError);
  }

  /** Looks again now: the server was restarted, or bound elsewhere. */
  refresh(): void {
    this.#turn.abort();
  }

  /** Ends the looks; a reported server is down for the given reason, unless it is null. */
  stop(reason: string | null): void {
    this.#ending.abort();
    this.#turn.abort();
    if (reason !== null) this.#end(reason);
  }

  async #run(): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      this.#turn = new AbortController();
      try {
        await this.#look(this.#turn.signal);
        await sleep(this.#options.clock, this.#pauseMs(), this.#turn.signal);
      } catch (error) {
        if (!this.#turn.signal.aborted) throw error;
      }
    }
  }

  #pauseMs(): number {
    const jitter = 1 + spread * (2 * this.#options.random() - 1);
    return (this.#server && this.#misses === 0 ? refreshMs : retryMs) * jitter;
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { port, answering, fingerprint } = this.#options;
    const addresses = await answering(port, signal);
    const [address] = [...addresses].sort((a, b) => Number(isLoopback(a)) - Number(isLoopback(b)));
    if (address === undefined) return;
    const result = await fingerprint(address, port, signal);
    signal.throwIfAborted();
    this.#conclude(result, addresses);
  }

  #conclude(result: Fingerprint, addresses: readonly string[]): void {
    if (result.kind === "server") return this.#describe(result.identification, addresses);
    if (result.kind === "document") return this.#miss(documentText(result.role));
    const isAnyHttp = result.kind === "other" && result.is === "http";
    if (isAnyHttp && this.#options.isNamed) return this.#describe(null, addresses);
    // Busy is not gone: the description still holds.
    if (result.kind === "silent" && result.why !== "closed") return this.#keep(addresses);
    this.#miss(
      result.kind === "other" ? otherServices[result.is] : "the port accepts connections and closes them",
    );
  }

  #describe(identification: Identification | null, addresses: readonly string[]): void {
    this.#misses = 0;
    this.#ignoredFor = null;
    this.#tell({ port: this.#options.port, addresses, identification });
  }

  #keep(addresses: readonly string[]): void {
    this.#misses = 0;
    if (this.#server) this.#tell({ ...this.#server, addresses });
  }

  #tell(server: LocalServer): void {
    const before = this.#server;
    if (JSON.stringify(before) === JSON.stringify(server)) return;
    this.#server = server;
    this.#options.onChange({ kind: before ? "updated" : "up", server });
  }

  #miss(reason: string): void {
    this.#misses += 1;
    if (this.#server && this.#misses < missesUntilDown) return;
    this.#end(reason);
    if (this.#ignoredFor === reason) return;
    this.#ignoredFor = reason;
    this.#options.onChange({ kind: "ignored", port: this.#options.port, reason });
  }

  #end(reason: string): void {
    if (!this.#server) return;
    this.#server = null;
    this.#options.onChange({ kind: "down", port: this.#options.port, reason });
  }
}

function documentText(role: string | null): string {
  return role === null
    ? "its document tells of servers on other ports only"
    : `its document says that it is no LLM server: its role is ${role}`;
}

const otherServices = {
  http: "it speaks HTTP, and shows no sign of an LLM server; --port announces it all the same",
  failing: "it answers every question with a server error",
  foreign: "it does not speak HTTP",
} as const;
