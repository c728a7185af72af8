import type { Log } from "@lmserv/discovery-core";
import type { Clock } from "@lmserv/discovery-core/transport";
import { explain } from "@lmserv/discovery-core/transport";
import { createShare, type RequestHandler, type SharedServer } from "@lmserv/discovery-gateway";
import { drainAll, type GatewayServer, type ListenGateway } from "../gateway/server.ts";

export interface ShareOptions {
  /** Key that clients need, or null for none. */
  readonly key: string | null;
  /** Name of this machine. */
  readonly hostname: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** Result of listening at several addresses. */
export interface ListenOutcome {
  /** True if the addresses changed. */
  readonly isChanged: boolean;
  /** First address that failed, with the reason: `at 10.0.0.7: ...`; null if there is none. */
  readonly failure: string | null;
}

/** Server of this machine, offered at several of its addresses. */
export class Share {
  readonly #target: SharedServer;
  readonly #clock: Clock;
  readonly #handler: RequestHandler;
  readonly #open = new Map<string, GatewayServer>();

  constructor(target: SharedServer, { key, hostname, clock, log }: ShareOptions) {
    this.#target = target;
    this.#clock = clock;
    this.#handler = createShare(target, {
      key,
      hostname,
      clock,
      onRequest: ({ method, path, status }) =>
        log("info", `${method} ${path} ${status}`, { shared: target.port }),
    });
  }

  get addresses(): readonly string[] {
    return [...this.#open.keys()];
  }

  leadsTo({ host, port, path }: SharedServer): boolean {
    const own = this.#target;
    return own.host === host && own.port === port && own.path === path;
  }

  /** Listens at these addresses, as far as possible, and at no other. */
  async listen(addresses: readonly string[], listen: ListenGateway): Promise<ListenOutcome> {
    const gone = this.addresses.filter((address) => !addresses.includes(address));
    for (const address of gone) await this.#leave(address);
    const missing = addresses.filter((address) => !this.#open.has(address));
    const failures = await Promise.all(missing.map((address) => this.#listenAt(address, listen)));
    const told = failures.filter((failure) => failure !== null && failure.code !== "EADDRNOTAVAIL");
    const isChanged = gone.length > 0 || failures.includes(null);
    return { isChanged, failure: told[0]?.text ?? null };
  }

  async close(): Promise<void> {
    await Promise.all(this.addresses.map((address) => this.#leave(address)));
    this.#handler[Symbol.dispose]();
  }

  /** Takes no more requests; resolves when those under way have ended, or their time is up. */
  async drain(): Promise<void> {
    await drainAll([...this.#open.values()], this.#clock);
    this.#handler[Symbol.dispose]();
  }

  /** Null on success. An address that is gone again, or not usable yet, has EADDRNOTAVAIL. */
  async #listenAt(
    address: string,
    listen: ListenGateway,
  ): Promise<{ readonly code: unknown; readonly text: string } | null> {
    const { port } = this.#target;
    try {
      this.#open.set(address, await listen(this.#handler, { address, port }));
      return null;
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : null;
      const why = code === "EADDRINUSE" ? "another program has the port there" : explain(error);
      return { code, text: `at ${address}: ${why}` };
    }
  }

  async #leave(address: string): Promise<void> {
    const server = this.#open.get(address);
    this.#open.delete(address);
    await server?.drain(AbortSignal.abort());
  }
}
