import type { Announcement } from "@lmserv/discovery-core";
import type { Clock } from "@lmserv/discovery-core/transport";
import { explain } from "@lmserv/discovery-core/transport";
import { type DocumentedServer, documentHandler } from "@lmserv/discovery-fingerprint";
import type { Handle, Listen } from "../io/http.ts";
import type { Reporter } from "../output/reporter.ts";

export interface DocumentServerOptions {
  readonly port: number;
  /** Present addresses to serve it at, or null for every one. */
  readonly addresses: () => readonly (string | null)[];
  /** Present announcements for the document; without one nothing is served. */
  readonly announced: () => readonly Announcement[];
  readonly clock: Clock;
  readonly listen: Listen;
  readonly reporter: Reporter;
}

/** Interval of checking addresses and taken ports, in ms. */
const periodMs = 10_000;

/**
 * Serves the document about the announced servers on a port of its own; failures are reported and retried.
 */
export class DocumentServer {
  readonly #options: DocumentServerOptions;
  readonly #handle: Handle;
  readonly #open = new Map<string | null, AsyncDisposable>();
  #wanted = false;
  #cancel: () => void = () => {};
  /** Serializes changes. */
  #turn: Promise<void> = Promise.resolve();
  #told = "";

  constructor(options: DocumentServerOptions) {
    this.#options = options;
    this.#handle = (request, response) => {
      const servers = options.announced().map(documented);
      return servers.length > 0 && documentHandler(() => ({ schemaVersion: 1, servers }))(request, response);
    };
  }

  /** Resolves after the first attempt, even if it failed. */
  start(): Promise<void> {
    this.#wanted = true;
    return this.#then(() => this.#adjust());
  }

  async stop(): Promise<void> {
    this.#wanted = false;
    this.#cancel();
    await this.#then(() => this.#keep([]));
    this.#told = "";
  }

  #then(step: () => Promise<void>): Promise<void> {
    this.#turn = this.#turn.then(step);
    return this.#turn;
  }

  async #adjust(): Promise<void> {
    if (!this.#wanted) return;
    const { addresses, clock } = this.#options;
    const chosen = addresses();
    await this.#keep(chosen);
    const missing = chosen.filter((address) => !this.#open.has(address));
    const failures = await Promise.all(missing.map((address) => this.#listen(address)));
    this.#tell(failures.filter((failure) => failure !== null));
    if (this.#wanted) this.#cancel = clock.schedule(periodMs, () => this.#then(() => this.#adjust()));
  }

  /** Closes all other addresses. */
  async #keep(chosen: readonly (string | null)[]): Promise<void> {
    const gone = [...this.#open].filter(([address]) => !chosen.includes(address));
    for (const [address, listening] of gone) {
      this.#open.delete(address);
      await listening[Symbol.asyncDispose]();
    }
  }

  /** Error of listening, or null. */
  async #listen(address: string | null): Promise<unknown> {
    const { listen, port } = this.#options;
    try {
      this.#open.set(address, await listen(this.#handle, { address, port }));
      return null;
    } catch (error) {
      return error;
    }
  }

  /** Reports each state once. */
  #tell(failures: readonly unknown[]): void {
    const { port, reporter } = this.#options;
    const [failure] = failures.filter((error) => codeOf(error) !== "EADDRNOTAVAIL");
    const said = failure === undefined ? servedText(port) : failureText(port, failure);
    if (this.#told === said || (failure === undefined && this.#open.size === 0)) return;
    this.#told = said;
    if (failure === undefined) reporter.note(said);
    else reporter.warn(said);
  }
}

/** Part of an announcement by which others find the server. */
function documented({
  id,
  info,
  port,
  scheme,
  path,
  server,
  apis,
  models,
  modelsCut,
  auth,
}: Announcement): DocumentedServer {
  return {
    ...(id !== undefined && { id }),
    ...(info !== undefined && { info }),
    port,
    ...(scheme && { scheme }),
    ...(path !== undefined && { path }),
    ...(server !== undefined && { server }),
    ...(apis && { apis }),
    ...(models && { models }),
    ...(modelsCut && { modelsCut }),
    ...(auth && { auth }),
  };
}

function servedText(port: number): string {
  return `the document about the announced servers is on port ${port}`;
}

function failureText(port: number, failure: unknown): string {
  if (codeOf(failure) !== "EADDRINUSE") return `no document on port ${port}: ${explain(failure)}`;
  return `no document on port ${port} while another program has it; if that is an lmserv announce as well, give this one another --document-port, which searches have to name`;
}

/** An address that is gone again, or not usable yet, has EADDRNOTAVAIL. */
function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : null;
}
