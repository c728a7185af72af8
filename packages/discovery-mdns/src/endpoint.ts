import { DiscoveryError } from "@lmserv/discovery-core";
import {
  backoffMs,
  Reminder,
  type TransportContext,
  toDiscoveryError,
} from "@lmserv/discovery-core/transport";
import { PacketCache } from "./dns/packet-cache.ts";
import type { Family, LinkInterface, NetworkInterface } from "./link/interfaces.ts";
import { type Link, type LinkEvents, type Machine, mdnsPort, type SocketAddress } from "./link/link.ts";
import type { Browser } from "./querier/browser.ts";
import type { Querier } from "./querier/querier.ts";
import type { Announcer } from "./responder/announcer.ts";
import { Responder } from "./responder/responder.ts";
import type { Said } from "./responder/said.ts";

export interface EndpointOptions {
  readonly via: string;
  readonly context: TransportContext;
  readonly machine: Machine;
  readonly browser: Browser;
  /** Records that this process sent on all of its links. */
  readonly said: Said;
  readonly announcers: ReadonlySet<Announcer>;
}

/** Limit of RFC 6762 section 17. */
const maxPacketBytesReceived = 9_000;
/** Pauses before a failed family is tried again, in ms. */
const reopenPauses = { firstMs: 3_000, maxMs: 30_000 };
/** Codes of an address that just went or is still being checked: the next look at the interfaces tells. */
const passingCodes: ReadonlySet<unknown> = new Set(["EADDRNOTAVAIL", "ENETUNREACH", "ENODEV", "ENXIO"]);

/** Multicast DNS on one interface, from its arrival until it goes; dead sockets are opened anew. */
export class Endpoint {
  responder: Responder | null = null;
  /** Null until sockets were opened for the first time. */
  #querier: Querier | null = null;
  readonly #name: string;
  readonly #options: EndpointOptions;
  readonly #packets = new PacketCache();
  #link: Link | null = null;
  /** Identity of the interface for which the sockets were opened. */
  #identity = "";
  /** Time of the next attempt at the missing families, and the count of failed attempts. */
  #reopenAtMs = 0;
  #reopenings = 0;
  /** Reported error of each family that cannot be used. */
  readonly #degraded = new Map<Family, string>();
  readonly #sendFailures = new Reminder();
  /** Count of packets and records that were malformed or came from a forbidden source. */
  #dropped = 0;

  constructor(name: string, options: EndpointOptions) {
    this.#name = name;
    this.#options = options;
  }

  /** True if every family of the interface is open. */
  get isWhole(): boolean {
    return this.#link?.missing.length === 0;
  }

  /** Opens missing or outdated sockets; resolves with the error that prevents all of them. */
  async follow(on: LinkInterface, all: readonly NetworkInterface[]): Promise<DiscoveryError | null> {
    if (!this.#link || this.#identity !== identityOf(on)) return await this.#open(on, all);
    await this.#reopen(this.#link, all);
    return null;
  }

  keepOut(all: readonly NetworkInterface[]): void {
    this.#link?.keepOut(all);
  }

  /** Reports the nodes that are known only here as unreachable, and closes. */
  async leave(): Promise<void> {
    if (this.#querier) this.#options.browser.leave(this.#querier);
    await this.close();
  }

  async close(): Promise<void> {
    const link = this.#link;
    this.#link = null;
    this.responder?.close();
    this.responder = null;
    await link?.close();
  }

  async #open(on: LinkInterface, all: readonly NetworkInterface[]): Promise<DiscoveryError | null> {
    const { machine, context } = this.#options;
    await this.close();
    try {
      const link = await machine.openLink(on, this.#events(), context.clock);
      this.#identity = identityOf(on);
      this.#reopenings = 0;
      this.#planReopening();
      this.#sendFailures.clear();
      this.#use(link, all);
      context.log("debug", `mDNS runs on ${on.name}`, { addresses: on.addresses });
      return null;
    } catch (error) {
      return this.#unusable(on.name, error);
    }
  }

  /** Tries the missing families again; the responder restarts once the link has more. */
  async #reopen(link: Link, all: readonly NetworkInterface[]): Promise<void> {
    const { clock, log } = this.#options.context;
    if (link.missing.length === 0 || clock.now() < this.#reopenAtMs) return;
    const reopened = await link.reopen();
    if (this.#link !== link) return;
    this.#reopenings += 1;
    this.#planReopening();
    if (reopened.length === 0) return;
    log("info", `mDNS runs on ${this.#name} over ${reopened.join(" and ")}, too, from now on`);
    this.responder?.close();
    this.#use(link, all);
  }

  #planReopening(): void {
    const { clock, random } = this.#options.context;
    this.#reopenAtMs = clock.now() + backoffMs(this.#reopenings + 1, reopenPauses, random);
  }

  #use(link: Link, all: readonly NetworkInterface[]): void {
    const { context, browser, announcers, said } = this.#options;
    this.#link = link;
    this.keepOut(all);
    for (const family of link.families) this.#degraded.delete(family);
    this.responder = new Responder(link, context.clock, context.random, said);
    this.#querier = browser.join(link, this.#querier);
    for (const announcer of announcers) announcer.join(this.responder);
  }

  #events(): LinkEvents {
    return {
      packet: (bytes, from) => this.#take(bytes, from),
      sendFailed: (error) => this.#reportSendFailure(error),
      degraded: (family, error) => this.#reportDegraded(family, error),
      died: (error) => {
        this.#reportSendFailure(error);
        // The next look at the interfaces opens the link anew, if the interface is still there.
        this.close().catch((failure: unknown) => {
          this.#options.context.log("debug", `a dead link could not be closed: ${String(failure)}`);
        });
      },
    };
  }

  #take(bytes: Uint8Array, from: SocketAddress): void {
    const { responder } = this;
    if (!responder) return;
    const decoded = bytes.length <= maxPacketBytesReceived ? this.#packets.decode(bytes, from.address) : null;
    if (!decoded) return this.#drop(1, from);
    const { message, malformed } = decoded;
    if (malformed > 0) this.#drop(malformed, from);
    // RFC 6762 sections 18.3 and 18.11; section 6 for the source port of responses.
    if (message.opcode !== 0 || message.rcode !== 0) return;
    if (message.response && from.port !== mdnsPort) return this.#drop(1, from);
    this.#querier?.take(message, from.address);
    for (const announcer of this.#options.announcers) announcer.hear(message);
    responder.take(message, from);
  }

  /** Logged at each power of two, so that a flood of malformed packets does not flood the log. */
  #drop(count: number, from: SocketAddress): void {
    const before = this.#dropped;
    this.#dropped += count;
    if (Math.floor(Math.log2(before)) === Math.floor(Math.log2(this.#dropped))) return;
    const fields = { dropped: this.#dropped, latest: from.address };
    this.#options.context.log("debug", `dropped malformed mDNS packets or records on ${this.#name}`, fields);
  }

  #unusable(where: string, error: unknown): DiscoveryError {
    const { via } = this.#options;
    const { message, code } = toDiscoveryError(error, "INTERFACE_UNUSABLE", via);
    const text = `UDP port ${mdnsPort} cannot be used on ${where}: ${message}`;
    return new DiscoveryError(code, text, { via, cause: error });
  }

  /** Reports once that a family cannot be used, and again when the error changes. */
  #reportDegraded(family: Family, error: unknown): void {
    const { via, context } = this.#options;
    const { code, message } = this.#unusable(`${this.#name} over ${family}`, error);
    if (this.#degraded.get(family) === message) return;
    this.#degraded.set(family, message);
    const hope = `${message}; the other family goes on, and this one is tried again`;
    context.report(new DiscoveryError(code, hope, { via, cause: error }));
  }

  #reportSendFailure(error: Error): void {
    const { via, context } = this.#options;
    if (!this.#link || isPassing(error)) return;
    if (!this.#sendFailures.isDue("", context.clock.now())) return;
    const message = `cannot send on ${this.#name}: ${error.message}`;
    context.report(new DiscoveryError("SEND_FAILED", message, { via, cause: error }));
  }
}

export function isPassing(error: unknown): boolean {
  return error instanceof Error && "code" in error && passingCodes.has(error.code);
}

/** Identity of an interface; a change asks for new sockets and a new announcement. */
function identityOf({ index, addresses, siblings }: LinkInterface): string {
  return JSON.stringify([index, addresses, siblings]);
}
