import { DiscoveryError, type DiscoveryErrorCode } from "@lmserv/discovery-core";
import { type Clock, linkedAbort } from "@lmserv/discovery-core/transport";
import { type Name, nameKey } from "../dns/name.ts";
import type { Message } from "../dns/record.ts";
import type { LinkInterface } from "../link/interfaces.ts";
import { instanceLabel, type Service } from "../service.ts";
import { contradicts, Prober } from "./prober.ts";
import type { Responder } from "./responder.ts";
import type { Said } from "./said.ts";

export interface AnnouncerOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly said: Said;
  readonly responders: () => Iterable<Responder>;
  readonly via: string;
  readonly report: (error: DiscoveryError) => void;
}

/** Keeps one service announced on every link, under a unique name. */
export class Announcer {
  readonly #options: AnnouncerOptions;
  readonly #prober: Prober;
  readonly #ending = new AbortController();
  /** Requested name of the instance. */
  readonly #asked: Name;
  #service: Service;
  /** Names of the interfaces over which the server cannot be reached. */
  #unreachable: ReadonlySet<string> = new Set();
  /** `claiming`: silent while an announced name is probed for again. */
  #state: "new" | "announced" | "claiming" | "stopped" = "new";

  constructor(service: Service, options: AnnouncerOptions) {
    this.#service = service;
    this.#asked = service.instance;
    this.#options = options;
    const { clock, random, responders } = options;
    this.#prober = new Prober(clock, random, (probe) =>
      Promise.all([...responders()].map((responder) => responder.probe(probe))),
    );
  }

  /** Probes for a chosen name and announces; resolves when the announcement was sent on every link. */
  async start(...signals: readonly AbortSignal[]): Promise<void> {
    if (this.#service.chosen) {
      const claiming = linkedAbort(...signals, this.#ending.signal);
      await this.#settle(claiming.signal).finally(() => claiming.abort());
    }
    this.#announce();
  }

  /** Announces on a new link; a chosen name may be taken there. */
  join(responder: Responder): void {
    if (this.#state !== "announced") return;
    if (this.#service.chosen) return this.#reclaim();
    responder.add(this.#service);
    this.#tellUnreachable();
  }

  /** Announces anew on every link, as after a suspension (RFC 6762 section 8). */
  renew(): void {
    if (this.#state !== "announced") return;
    if (this.#service.chosen) return this.#reclaim();
    for (const responder of this.#options.responders()) responder.renew(this.#service);
  }

  /** Takes a packet of any link, which may claim the name. */
  hear(message: Message): void {
    this.#prober.hear(message);
    // A generated name belongs to no other host: the responders contradict all claims to it.
    if (this.#state !== "announced" || !message.response || !this.#service.chosen) return;
    const records = [...message.answers, ...message.additionals];
    if (contradicts(records, this.#service, this.#options.said)) this.#reclaim();
  }

  speaksFor(instance: string): boolean {
    return nameKey(instance) === nameKey(this.#service.instance);
  }

  /** Announces changed records of the same instance (RFC 6762 section 8.4). */
  update(service: Service): void {
    const before = this.#service;
    this.#service = { ...service, instance: before.instance, chosen: before.chosen, host: before.host };
    if (this.#state !== "announced") return;
    for (const responder of this.#options.responders()) responder.replace(before, this.#service);
    this.#tellUnreachable();
  }

  async stop(): Promise<void> {
    this.#ending.abort();
    const wasAnnounced = this.#state === "announced" || this.#state === "claiming";
    this.#state = "stopped";
    if (!wasAnnounced) return;
    await Promise.all([...this.#options.responders()].map((responder) => responder.remove(this.#service)));
  }

  #announce(): void {
    if (this.#state === "stopped") return;
    this.#state = "announced";
    for (const responder of this.#options.responders()) responder.add(this.#service);
    this.#tellUnreachable();
  }

  /** Reports each interface once on which nothing is announced, until something is. */
  #tellUnreachable(): void {
    const silent = [...this.#options.responders()].filter((responder) => !responder.speaksFor(this.#service));
    const told = this.#unreachable;
    this.#unreachable = new Set(silent.map((responder) => responder.interface.name));
    for (const { interface: on } of silent) if (!told.has(on.name)) this.#reportUnreachable(on);
  }

  #reportUnreachable({ name, addresses }: LinkInterface): void {
    const own = addresses.map(({ address }) => address).join(", ");
    const message = `the server on port ${this.#service.port} does not answer at ${own}, so that it is not announced on ${name}; let it listen on all addresses to be found there`;
    this.#report("SERVER_UNREACHABLE", message);
  }

  #report(code: DiscoveryErrorCode, message: string): void {
    const { via, report } = this.#options;
    report(new DiscoveryError(code, message, { via }));
  }

  /** Probes again after a conflict with another host: the winner keeps the name. */
  #reclaim(): void {
    this.#state = "claiming";
    // No goodbye is sent: the pointer to the name may also be the other host's.
    for (const responder of this.#options.responders()) responder.drop(this.#service);
    this.#settle(this.#ending.signal).then(
      () => this.#announce(),
      () => {},
    );
  }

  async #settle(signal: AbortSignal): Promise<void> {
    const { instance: asked } = this.#service;
    const { instance } = await this.#prober.settle(this.#service, signal);
    signal.throwIfAborted();
    // Other fields may have been updated meanwhile.
    this.#service = { ...this.#service, instance };
    if (instance === asked) return;
    const [wanted, got] = [this.#asked, instance].map((name) => JSON.stringify(instanceLabel(name)));
    this.#report("NAME_CONFLICT", `another node is named ${wanted}: this one is announced as ${got}`);
  }
}
