import {
  type Announced,
  type BrowseQuery,
  type Cancellable,
  DiscoveryError,
  type Observation,
  observationStream,
  randomHex,
  type TransportContext,
  type TransportSession,
  toDiscoveryError,
} from "@lmserv/discovery-core";
import { Browser } from "./browser.ts";
import {
  chooseInterfaces,
  listInterfaces,
  type NetworkInterface,
  type SystemInterfaces,
} from "./interfaces.ts";
import { type Endpoint, type Link, mdnsPort, type OpenLink } from "./link.ts";
import { Responder } from "./responder.ts";
import { type Service, serviceOf } from "./service.ts";
import { decode } from "./wire/decode.ts";
import { nameKey } from "./wire/name.ts";

/** What a session needs of its machine. */
export interface Machine {
  readonly openLink: OpenLink;
  readonly interfaces: () => SystemInterfaces;
  readonly hostname: () => string;
}

export interface SessionOptions {
  readonly name: string;
  readonly interfaces: readonly string[] | undefined;
}

/** How often the machine's interfaces are looked at, in ms. */
const pollMs = 2_000;
/** What makes a name unique enough to go unprobed (RFC 6762 section 8.1). */
const entropyBits = 80;

interface Station {
  readonly link: Link;
  readonly responder: Responder;
  sendFailing: boolean;
}

/** Multicast DNS on every usable interface of this machine. */
export class MdnsSession implements TransportSession {
  readonly #context: TransportContext;
  readonly #options: SessionOptions;
  readonly #machine: Machine;
  readonly #browser: Browser;
  readonly #stations = new Map<string, Station>();
  readonly #services = new Set<Service>();
  readonly #closing = new AbortController();
  #cancelPoll: () => void = () => {};
  #following: Promise<void> = Promise.resolve();
  /** Packets and records that could not be read, or came from where they must not. */
  #dropped = 0;

  constructor(context: TransportContext, options: SessionOptions, machine: Machine) {
    this.#context = context;
    this.#options = options;
    this.#machine = machine;
    this.#browser = new Browser({
      via: options.name,
      clock: context.clock,
      random: context.random,
      report: context.report,
      isOwn: (instance) => this.#announces(instance),
    });
  }

  /** @throws {DiscoveryError} `TRANSPORT_UNAVAILABLE` when no interface can be used, with the cause. */
  async open(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const failures = await this.#follow();
    if (signal.aborted) {
      await this[Symbol.asyncDispose]();
      throw signal.reason;
    }
    if (this.#stations.size === 0) throw this.#unavailable(failures[0]);
    for (const failure of failures) this.#context.report(failure);
    this.#poll();
  }

  browse({ ttlMs }: BrowseQuery, { signal }: Cancellable): AsyncIterable<Observation> {
    return observationStream({
      signal,
      closed: this.#closing.signal,
      start: (sink) => this.#browser.subscribe(ttlMs, sink),
    });
  }

  async announce(node: Announced, { signal }: Cancellable): Promise<AsyncDisposable> {
    signal.throwIfAborted();
    const { random } = this.#context;
    const service = serviceOf(node, this.#machine.hostname(), randomHex(random, entropyBits));
    if (this.#announces(service.instance)) {
      throw new DiscoveryError("NAME_CONFLICT", `${JSON.stringify(node.name)} is announced already`, {
        via: this.#options.name,
      });
    }
    this.#services.add(service);
    for (const { responder } of this.#stations.values()) responder.add(service);
    return { [Symbol.asyncDispose]: () => this.#withdraw(service) };
  }

  async reconfirm(key: string, { signal }: Cancellable): Promise<void> {
    signal.throwIfAborted();
    this.#browser.reconfirm(key);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    this.#cancelPoll();
    await Promise.all([...this.#services].map((service) => this.#withdraw(service)));
    this.#browser.stop();
    await this.#following;
    await Promise.all([...this.#stations.keys()].map((id) => this.#remove(id)));
  }

  #announces(instance: string): boolean {
    return [...this.#services].some((service) => nameKey(service.instance) === nameKey(instance));
  }

  async #withdraw(service: Service): Promise<void> {
    this.#services.delete(service);
    await Promise.all([...this.#stations.values()].map(({ responder }) => responder.remove(service)));
  }

  #poll(): void {
    this.#cancelPoll = this.#context.clock.schedule(pollMs, () => {
      this.#following = this.#follow().then((failures) => {
        for (const failure of failures) this.#context.report(failure);
        if (!this.#closing.signal.aborted) this.#poll();
      });
    });
  }

  /** Brings the links in line with the machine's interfaces; returns what could not be opened. */
  async #follow(): Promise<DiscoveryError[]> {
    const wanted = new Map(this.#usable().map((on) => [identityOf(on), on]));
    const lost = [...this.#stations.keys()].filter((id) => !wanted.has(id));
    await Promise.all(lost.map((id) => this.#remove(id)));
    const missing = [...wanted].filter(([id]) => !this.#stations.has(id));
    const outcomes = await Promise.all(missing.map(([id, on]) => this.#add(id, on)));
    return outcomes.filter((failure) => failure !== null);
  }

  #usable(): NetworkInterface[] {
    return chooseInterfaces(listInterfaces(this.#machine.interfaces()), this.#options.interfaces);
  }

  async #add(id: string, on: NetworkInterface): Promise<DiscoveryError | null> {
    try {
      const link = await this.#machine.openLink(on, {
        packet: (bytes, from) => this.#take(id, bytes, from),
        sendFailed: (error) => this.#reportSendFailure(id, error),
        died: (error) => this.#bury(id, error),
      });
      const { clock, random } = this.#context;
      const responder = new Responder(link, clock, random);
      this.#stations.set(id, { link, responder, sendFailing: false });
      this.#browser.addLink(link);
      for (const service of this.#services) responder.add(service);
      this.#context.log("debug", `mDNS runs on ${on.name}`, { addresses: on.addresses });
      return null;
    } catch (error) {
      const { message, code } = toDiscoveryError(error, "TRANSPORT_UNAVAILABLE", this.#options.name);
      const detail = `UDP port ${mdnsPort} cannot be used on ${on.name}: ${message}`;
      return new DiscoveryError(code, detail, { via: this.#options.name, cause: error });
    }
  }

  async #remove(id: string): Promise<void> {
    const station = this.#stations.get(id);
    if (!station) return;
    this.#stations.delete(id);
    this.#browser.removeLink(station.link);
    station.responder.close();
    await station.link.close();
  }

  #take(id: string, bytes: Uint8Array, from: Endpoint): void {
    const station = this.#stations.get(id);
    const decoded = decode(bytes);
    if (!decoded) return this.#drop(1, from);
    const { message, malformed } = decoded;
    if (malformed > 0) this.#drop(malformed, from);
    // RFC 6762 sections 18.3 and 18.11; section 6 for the source port of responses.
    if (!station || message.opcode !== 0 || message.rcode !== 0) return;
    if (message.response && from.port !== mdnsPort) return this.#drop(1, from);
    this.#browser.take(station.link, message, from.address);
    if (!message.response) station.responder.answer(message, from);
  }

  /** Logged at each power of two, so that a flood of rubbish does not become a flood of lines. */
  #drop(count: number, from: Endpoint): void {
    const before = this.#dropped;
    this.#dropped += count;
    if (Math.floor(Math.log2(before)) === Math.floor(Math.log2(this.#dropped))) return;
    this.#context.log("debug", "dropped malformed mDNS packets or records", {
      dropped: this.#dropped,
      latest: from.address,
    });
  }

  #reportSendFailure(id: string, error: Error): void {
    const station = this.#stations.get(id);
    if (!station || station.sendFailing || this.#closing.signal.aborted) return;
    station.sendFailing = true;
    const message = `cannot send on ${station.link.interface.name}: ${error.message}`;
    this.#context.report(
      new DiscoveryError("SEND_FAILED", message, { via: this.#options.name, cause: error }),
    );
  }

  /** A link that died is opened anew at the next look at the interfaces. */
  #bury(id: string, error: Error): void {
    if (!this.#stations.has(id)) return;
    this.#reportSendFailure(id, error);
    this.#remove(id).catch((failure: unknown) => {
      this.#context.log("debug", `a dead link could not be closed: ${String(failure)}`);
    });
  }

  #unavailable(failure: DiscoveryError | undefined): DiscoveryError {
    const via = this.#options.name;
    const cause = failure ?? this.#noInterface();
    return new DiscoveryError("TRANSPORT_UNAVAILABLE", cause.message, { via, cause });
  }

  #noInterface(): DiscoveryError {
    const present = Object.keys(this.#machine.interfaces()).join(", ") || "none";
    const { interfaces, name } = this.#options;
    const wanted = interfaces ? `among ${interfaces.map((one) => `"${one}"`).join(", ")} ` : "";
    const message = `no usable network interface ${wanted}has an IPv4 address (interfaces that are up: ${present})`;
    return new DiscoveryError("NO_INTERFACE", message, { via: name });
  }
}

/** An interface with another address is another interface: its socket is made anew. */
function identityOf({ name, addresses }: NetworkInterface): string {
  return `${name} ${addresses.map(({ address, prefixLength }) => `${address}/${prefixLength}`).join(" ")}`;
}
