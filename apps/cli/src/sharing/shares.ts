import { type Clock, isLoopback, Stream, withoutZone } from "@lmserv/discovery-core/transport";
import type { SystemInterface } from "@lmserv/discovery-network";
import type { Io } from "../io/io.ts";
import type { LocalServer, LocalServerChange } from "../local-servers/local-server.ts";
import { keyOfChange, type LocalServersOptions } from "../local-servers/local-servers.ts";
import { answeringAt } from "../local-servers/machine-servers.ts";
import type { Reporter } from "../output/reporter.ts";
import { Share } from "./share.ts";
import { shareAddresses } from "./share-addresses.ts";

export interface SharesOptions {
  /** Present interfaces with other hosts. */
  readonly links: () => readonly SystemInterface[];
  /** Key that clients need, or null for none. */
  readonly key: string | null;
  /** Path of the chat endpoint that the user gave, or null. */
  readonly path: string | null;
  /** Name of this machine. */
  readonly hostname: string;
  readonly io: Io;
  readonly reporter: Reporter;
}

/** Interval of checking addresses and taken ports, in ms. */
const periodMs = 10_000;

/** Offers servers that listen on loopback only at addresses that other hosts reach, at the same port. */
export class Shares implements AsyncDisposable {
  readonly #options: SharesOptions;
  readonly #shares = new Map<number, Share>();
  /** Servers as they describe themselves. */
  readonly #servers = new Map<number, LocalServer>();
  /** Reasons for which ports are not shared, until they are. */
  readonly #told = new Map<number, string>();
  /** Serializes changes. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: SharesOptions) {
    this.#options = options;
  }

  /** Sources for a watch of local servers that omit the sockets of the shares. */
  watching(): Pick<LocalServersOptions, "answering" | "readListeners"> {
    const { io } = this.#options;
    const answering = answeringAt(io);
    return {
      answering: async (port, signal) => {
        const answered = await answering(port, signal);
        return answered.filter((address) => !this.#has(address, port));
      },
      readListeners: async () => {
        const listeners = await io.readListeners();
        return listeners?.filter(({ address, port }) => !this.#has(address, port)) ?? null;
      },
    };
  }

  /** Yields the changes, with the addresses at which servers are shared; rejects when `signal` aborts. */
  over(changes: AsyncIterable<LocalServerChange>, signal: AbortSignal): AsyncIterable<LocalServerChange> {
    return new Stream<LocalServerChange>({
      signal,
      closed: new AbortController().signal,
      enqueue: (waiting, change) => waiting.set(keyOfChange(change), change),
      start: ({ push, fail }) => {
        const follow = async (): Promise<void> => {
          for await (const change of changes) push(await this.#then(() => this.#apply(change)));
        };
        follow().catch(fail);
        return repeat(this.#options.io.clock, periodMs, () =>
          this.#then(() => this.#adjust(push)).catch(fail),
        );
      },
    });
  }

  /** Lets answers under way end. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#then(() => Promise.all([...this.#shares.values()].map((share) => share.drain())));
    this.#shares.clear();
  }

  #then<T>(step: () => Promise<T>): Promise<T> {
    const next = this.#turn.then(step);
    this.#turn = next.catch(() => {});
    return next;
  }

  async #apply(change: LocalServerChange): Promise<LocalServerChange> {
    if ("server" in change) {
      this.#servers.set(change.server.port, change.server);
      return { ...change, server: await this.#share(change.server) };
    }
    this.#servers.delete(change.port);
    this.#told.delete(change.port);
    await this.#end(change.port);
    return change;
  }

  /** Follows the addresses of this machine. */
  async #adjust(push: (change: LocalServerChange) => void): Promise<void> {
    for (const server of [...this.#servers.values()]) {
      const before = this.#shares.get(server.port)?.addresses.join();
      const shared = await this.#share(server);
      if (this.#shares.get(server.port)?.addresses.join() !== before)
        push({ kind: "updated", server: shared });
    }
  }

  /** Server as others see it. */
  async #share(server: LocalServer): Promise<LocalServer> {
    const { port, identification } = server;
    const { links, key, io, reporter } = this.#options;
    const linked = links();
    const addresses = shareAddresses(linked, key !== null);
    const obstacle = obstacleOf(server, linked.length > 0, addresses);
    if (obstacle !== null) {
      this.#tell(port, obstacle);
      await this.#end(port);
      return server;
    }
    const share = await this.#shareOf(server);
    const outcome = await share.listen(addresses, io.listenGateway);
    this.#tell(port, outcome.failure === null ? "" : `not shared ${outcome.failure}`);
    if (outcome.isChanged && share.addresses.length > 0)
      reporter.note(sharedText(server, share.addresses, key));
    return {
      ...server,
      addresses: [...server.addresses, ...share.addresses],
      identification: identification && { ...identification, ...(key !== null && { auth: "required" }) },
    };
  }

  async #shareOf(server: LocalServer): Promise<Share> {
    const { key, path, hostname, io, reporter } = this.#options;
    const host =
      server.addresses.find((address) => !address.includes(":")) ?? server.addresses[0] ?? "127.0.0.1";
    const target = { host, port: server.port, path: path ?? server.identification?.path ?? null };
    const before = this.#shares.get(server.port);
    if (before?.leadsTo(target)) return before;
    await this.#end(server.port);
    const share = new Share(target, { key, hostname, clock: io.clock, log: reporter.log });
    this.#shares.set(server.port, share);
    return share;
  }

  async #end(port: number): Promise<void> {
    const share = this.#shares.get(port);
    this.#shares.delete(port);
    await share?.close();
  }

  /** Reports each obstacle once. */
  #tell(port: number, obstacle: string): void {
    if ((this.#told.get(port) ?? "") === obstacle) return;
    this.#told.set(port, obstacle);
    if (obstacle !== "") this.#options.reporter.warn(`the server on port ${port} is ${obstacle}`);
  }

  #has(address: string, port: number): boolean {
    const bare = withoutZone(address);
    return this.#shares.get(port)?.addresses.some((own) => withoutZone(own) === bare) ?? false;
  }
}

/** Reason not to share a server: null if it can be shared, an empty text if it need not be. */
function obstacleOf(
  { addresses, identification }: LocalServer,
  hasLinks: boolean,
  offered: readonly string[],
): string | null {
  if (!hasLinks || addresses.length === 0 || !addresses.every(isLoopback)) return "";
  if (identification?.scheme === "https")
    return "not shared: it speaks TLS, and its certificate is for itself";
  if (offered.length > 0) return null;
  return "not shared: without a key that is done at private and link-local addresses only, and this machine has none; add --share-key-file FILE";
}

function sharedText(
  { port, identification }: LocalServer,
  addresses: readonly string[],
  key: string | null,
): string {
  const kind = identification?.server ?? "an unknown server";
  const isKeyless = key === null && identification?.auth !== "required";
  const who = isKeyless
    ? "without a key: every host that reaches these private addresses can use it, for inference only"
    : "with a key, for inference only";
  return `sharing ${kind} on port ${port} at ${addresses.join(", ")}, ${who}`;
}

/** @returns the function that ends it. */
function repeat(clock: Clock, everyMs: number, step: () => Promise<unknown>): () => void {
  let hasEnded = false;
  let cancel = (): void => {};
  const arm = (): void => {
    cancel = clock.schedule(everyMs, () => void step().finally(() => hasEnded || arm()));
  };
  arm();
  return () => {
    hasEnded = true;
    cancel();
  };
}
