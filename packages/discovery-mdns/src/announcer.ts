import type { Clock } from "@lmserv/discovery-core";
import { Claim, contradicts } from "./claim.ts";
import type { Responder } from "./responder.ts";
import type { Service } from "./service.ts";
import { nameKey } from "./wire/name.ts";
import type { Message } from "./wire/record.ts";

export interface AnnouncerOptions {
  readonly clock: Clock;
  readonly random: () => number;
  /** The responders of all links there are. */
  readonly responders: () => Iterable<Responder>;
  /** Sends on every link. */
  readonly broadcast: (message: Message) => void;
  /** Takes the news that the service goes by another name than the one that was asked for. */
  readonly onRenamed: (service: Service) => void;
}

/** Keeps one service announced on every link, under a name that is its own. */
export class Announcer {
  readonly #options: AnnouncerOptions;
  readonly #claim: Claim;
  readonly #ending = new AbortController();
  #service: Service;
  #state: "claiming" | "announced" = "claiming";

  constructor(service: Service, options: AnnouncerOptions) {
    this.#service = service;
    this.#options = options;
    this.#claim = new Claim(options.clock, options.random, options.broadcast);
  }

  /** Announces, after making sure of the name if somebody chose it; resolves when that left on every link. */
  async start(signal: AbortSignal): Promise<void> {
    if (this.#service.chosen) await this.#settle(AbortSignal.any([signal, this.#ending.signal]));
    this.#announce();
  }

  /** Speaks on a link that came later. */
  join(responder: Responder): void {
    if (this.#state === "announced") responder.add(this.#service);
  }

  /** Takes what came in on any link: somebody may claim the name. */
  hear(message: Message): void {
    this.#claim.hear(message);
    if (this.#state !== "announced" || !message.response) return;
    if (!contradicts([...message.answers, ...message.additionals], this.#service)) return;
    this.#reclaim();
  }

  /** Whether this is the announcer of the instance. */
  speaksFor(instance: string): boolean {
    return nameKey(instance) === nameKey(this.#service.instance);
  }

  /** Says other things of the same instance (RFC 6762 section 8.4). */
  update(service: Service): void {
    const before = this.#service;
    this.#service = { ...before, port: service.port, txt: service.txt };
    if (this.#state !== "announced") return;
    for (const responder of this.#options.responders()) {
      responder.drop(before);
      responder.add(this.#service);
    }
  }

  /** Says goodbye everywhere. */
  async stop(): Promise<void> {
    this.#ending.abort();
    if (this.#state !== "announced") return;
    this.#state = "claiming";
    await Promise.all([...this.#options.responders()].map((responder) => responder.remove(this.#service)));
  }

  #announce(): void {
    this.#state = "announced";
    for (const responder of this.#options.responders()) responder.add(this.#service);
  }

  /** Another host says something else of our instance: whoever gets the name in a new probe keeps it. */
  #reclaim(): void {
    this.#state = "claiming";
    // Not a goodbye: the pointer to the name may be the other's as well.
    for (const responder of this.#options.responders()) responder.drop(this.#service);
    this.#settle(this.#ending.signal).then(
      () => this.#announce(),
      () => {},
    );
  }

  async #settle(signal: AbortSignal): Promise<void> {
    const settled = await this.#claim.settle(this.#service, signal);
    signal.throwIfAborted();
    const isRenamed = settled !== this.#service;
    this.#service = settled;
    if (isRenamed) this.#options.onRenamed(settled);
  }
}
