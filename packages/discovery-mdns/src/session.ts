import {
  type Announced,
  type BrowseQuery,
  type Cancellable,
  DiscoveryError,
  type Observation,
  observationStream,
  randomHex,
  type Standing,
  type TransportContext,
  type TransportSession,
} from "@lmserv/discovery-core";
import { encode, maxPacketBytes } from "./dns/encode.ts";
import { Recognizer } from "./dns/packet-cache.ts";
import type { Message } from "./dns/record.ts";
import { type Machine, type Station, Stations } from "./link/interface-manager.ts";
import type { LinkInterface } from "./link/interfaces.ts";
import { type Endpoint, type Link, mdnsPort } from "./link/link.ts";
import { Browser } from "./querier/browser.ts";
import { rehearse } from "./querier/warm-up.ts";
import { Announcer } from "./responder/announcer.ts";
import { describe, instanceLabel, type Service, serviceOf, serviceType, subtypeName } from "./service.ts";

export interface SessionOptions {
  readonly name: string;
  readonly interfaces: readonly string[] | undefined;
  readonly subtype: string | undefined;
  readonly maxInstances: number;
}

const maxPacketBytesReceived = 9_000;
/** What makes a name unique enough to go unprobed (RFC 6762 section 8.1). */
const entropyBits = 80;

/** Multicast DNS on every usable interface of this machine. */
export class MdnsSession implements TransportSession {
  readonly #context: TransportContext;
  readonly #options: SessionOptions;
  readonly #machine: Machine;
  readonly #stations: Stations;
  readonly #browser: Browser;
  readonly #announcers = new Set<Announcer>();
  readonly #closing = new AbortController();
  readonly #recognizer = new Recognizer();
  /** Packets and records that could not be read, or came from where they must not. */
  #dropped = 0;

  constructor(context: TransportContext, options: SessionOptions, machine: Machine) {
    const { clock, random, report } = context;
    this.#context = context;
    this.#options = options;
    this.#machine = machine;
    this.#browser = new Browser({
      via: options.name,
      clock,
      random,
      report,
      listName: options.subtype === undefined ? serviceType : subtypeName(options.subtype),
      maxInstances: options.maxInstances,
      isChosen: options.interfaces !== undefined,
      system: () => this.#stations.system,
      isOwn: (instance) => [...this.#announcers].some((announcer) => announcer.speaksFor(instance)),
    });
    this.#stations = new Stations(context, { via: options.name, wanted: options.interfaces }, machine, {
      packet: (station, bytes, from) => this.#take(station, bytes, from),
      came: (station) => {
        this.#browser.addLink(station.link);
        for (const announcer of this.#announcers) announcer.join(station.responder);
      },
      went: (interfaceName) => this.#browser.removeLink(interfaceName),
      woke: () => this.#wake(),
    });
  }

  /** @throws {DiscoveryError} `TRANSPORT_UNAVAILABLE` when no interface can be used, with the cause. */
  async open(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    rehearse();
    try {
      await this.#stations.open();
      signal.throwIfAborted();
    } catch (error) {
      await this[Symbol.asyncDispose]();
      throw error;
    }
  }

  browse({ ttlMs }: BrowseQuery, { signal }: Cancellable): AsyncIterable<Observation> {
    return observationStream({
      signal,
      closed: this.#closing.signal,
      start: (sink) => this.#browser.subscribe(ttlMs, sink),
    });
  }

  async announce(node: Announced, { signal }: Cancellable): Promise<Standing> {
    signal.throwIfAborted();
    const { clock, random } = this.#context;
    const asked = this.#serviceOf(node, randomHex(random, entropyBits));
    this.#tellOfCuts(node, asked);
    const announcer = new Announcer(asked, {
      clock,
      random,
      responders: () => this.#stations.responders(),
      probe: (message) => this.#probe(message),
      onRenamed: (service) => this.#reportRenaming(asked, service),
      onUnreachable: (on) => this.#reportUnreachable(asked, on),
    });
    this.#announcers.add(announcer);
    try {
      await announcer.start(AbortSignal.any([signal, this.#closing.signal]));
    } catch (error) {
      this.#announcers.delete(announcer);
      throw error;
    }
    return {
      update: async (changed) => announcer.update(this.#serviceOf(changed, "")),
      [Symbol.asyncDispose]: async () => {
        await announcer.stop();
        this.#announcers.delete(announcer);
      },
    };
  }

  async reconfirm(key: string, { signal }: Cancellable): Promise<void> {
    signal.throwIfAborted();
    this.#browser.reconfirm(key);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await Promise.all([...this.#announcers].map((announcer) => announcer.stop()));
    this.#browser.stop();
    await this.#stations.close();
  }

  #serviceOf(node: Announced, entropy: string): Service {
    return serviceOf(node, this.#machine.hostname(), entropy);
  }

  /** A long list of models is better announced in part than not at all, but not in silence. */
  #tellOfCuts({ models = [] }: Announced, { txt }: Service): void {
    const announced = describe(txt).models.length;
    if (announced === models.length) return;
    this.#context.log("warn", `${announced} of ${models.length} models fit the announcement over mDNS`);
  }

  #probe(message: Message): Promise<unknown> {
    return Promise.all(this.#stations.links().map((link) => this.#probeOn(link, message)));
  }

  /** Asks for direct answers, as RFC 6762 section 8.1 would have it, where they can arrive. */
  async #probeOn(link: Link, message: Message): Promise<void> {
    const unicast = await link.invite();
    const questions = message.questions.map((question) => ({ ...question, unicast }));
    for (const packet of encode({ ...message, questions }, { maxBytes: maxPacketBytes })) {
      for (const family of link.families) link.multicast(packet, family);
    }
  }

  #take({ link, responder }: Station, bytes: Uint8Array, from: Endpoint): void {
    // RFC 6762 section 17: longer ones are nobody's.
    if (bytes.length > maxPacketBytesReceived) return this.#drop(1, from);
    const decoded = this.#recognizer.decode(bytes, from.address);
    if (!decoded) return this.#drop(1, from);
    const { message, malformed } = decoded;
    if (malformed > 0) this.#drop(malformed, from);
    // RFC 6762 sections 18.3 and 18.11; section 6 for the source port of responses.
    if (message.opcode !== 0 || message.rcode !== 0) return;
    if (message.response && from.port !== mdnsPort) return this.#drop(1, from);
    this.#browser.take(link.interface.name, message, from.address);
    for (const announcer of this.#announcers) announcer.hear(message);
    if (message.response) responder.hear(message, from);
    else responder.answer(message, from);
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

  #wake(): void {
    for (const announcer of this.#announcers) announcer.renew();
    this.#browser.wake();
  }

  #reportRenaming(asked: Service, service: Service): void {
    const [wanted, got] = [asked, service].map(({ instance }) => JSON.stringify(instanceLabel(instance)));
    const message = `another node is named ${wanted}: this one is announced as ${got}`;
    this.#context.report(new DiscoveryError("NAME_CONFLICT", message, { via: this.#options.name }));
  }

  #reportUnreachable({ port }: Service, { name, addresses }: LinkInterface): void {
    const own = addresses.map(({ address }) => address).join(", ");
    const message = `the server on port ${port} does not answer at ${own}, so that it is not announced on ${name}; let it listen on all addresses to be found there`;
    this.#context.report(new DiscoveryError("SERVER_UNREACHABLE", message, { via: this.#options.name }));
  }
}
