import { DiscoveryError } from "@lmserv/discovery-core";
import { Standstill } from "@lmserv/discovery-core/transport";
import type { System } from "@lmserv/discovery-network";
import { Endpoint, type EndpointOptions, isPassing } from "./endpoint.ts";
import { chooseInterfaces, listInterfaces, type NetworkInterface, withSiblings } from "./link/interfaces.ts";
import type { Memory } from "./memory.ts";
import type { Responder } from "./responder/responder.ts";

export interface EndpointsOptions extends EndpointOptions {
  /** Interfaces to use, by name or address. */
  readonly wanted: readonly string[] | undefined;
  readonly memory: Memory;
  /** No interface is left, or no socket. */
  readonly failed: (cause: DiscoveryError) => void;
}

/** How often the machine's interfaces are looked at, in ms: most of what an idle process costs. */
const pollMs = 3_000;
/** How long a network that went is waited for before loopback stands in, in ms: an address is known as long (RFC 6762 section 10). */
const returnMs = 120_000;

/** Keeps an endpoint on each usable interface while interfaces come, go and change. */
export class Endpoints {
  readonly #options: EndpointsOptions;
  /** By the names of their interfaces. */
  readonly #endpoints = new Map<string, Endpoint>();
  /** Whether loopback stands in for a network that went. */
  standsIn = false;
  readonly #standstill = new Standstill();
  /** The interfaces as they were at the latest look that left nothing to be done. */
  #settled = "";
  /** What the latest look failed with: a failure that lasts is reported once. */
  #reported: ReadonlySet<string> = new Set();
  #cancelPoll: () => void = () => {};
  #following: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: EndpointsOptions) {
    this.#options = options;
  }

  /** @throws {DiscoveryError} `TRANSPORT_UNAVAILABLE` when no interface can be used, with the cause. */
  async open(): Promise<void> {
    const failures = await this.#follow();
    const [cause] = failures;
    if (cause && this.responders().length === 0) {
      // A port that is taken, or a missing interface, is why nothing at all can be used.
      throw new DiscoveryError("TRANSPORT_UNAVAILABLE", cause.message, { via: this.#options.via, cause });
    }
    this.#report(failures);
    this.#poll();
  }

  /** One for each interface that has an open socket. */
  responders(): Responder[] {
    return [...this.#endpoints.values()].flatMap(({ responder }) => responder ?? []);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelPoll();
    await this.#following;
    await this.#closeAll();
  }

  #poll(): void {
    const { clock } = this.#options.context;
    this.#standstill.expect(clock.now() + pollMs);
    this.#standstill.hasSlept(clock.now(), clock.wall());
    this.#cancelPoll = clock.schedule(pollMs, () => {
      const isLate = this.#standstill.isLate(clock.now());
      const hasSlept = this.#standstill.hasSlept(clock.now(), clock.wall()) || isLate;
      this.#following = this.#look(hasSlept);
    });
  }

  async #look(hasSlept: boolean): Promise<void> {
    const failures = await this.#follow();
    if (this.#closed) return;
    const cause = failures.find(({ cause }) => !isPassing(cause));
    const isLost = cause?.code === "NO_INTERFACE" || this.responders().length === 0;
    if (cause && isLost) return await this.#fail(cause);
    if (hasSlept) this.#wake();
    this.#report(failures);
    this.#poll();
  }

  /** Sockets may outlive their interface, and would say goodbye. */
  async #fail(cause: DiscoveryError): Promise<void> {
    await this.#closeAll();
    if (!this.#closed) this.#options.failed(cause);
  }

  async #closeAll(): Promise<void> {
    await Promise.all([...this.#endpoints.values()].map((endpoint) => endpoint.close()));
  }

  /** The machine slept, or this process was suspended: what others know of it may have run out, and the other way round. */
  #wake(): void {
    for (const announcer of this.#options.announcers) announcer.renew();
    this.#options.browser.wake();
  }

  #report(failures: readonly DiscoveryError[]): void {
    const before = this.#reported;
    this.#reported = new Set(failures.map(({ message }) => message));
    for (const failure of failures) if (!before.has(failure.message)) this.#options.context.report(failure);
  }

  /** Brings the endpoints in line with the machine's interfaces; returns what could not be opened. */
  async #follow(): Promise<DiscoveryError[]> {
    const system = this.#options.machine.system();
    const all = listInterfaces(system);
    const seen = JSON.stringify(all);
    const endpoints = this.#endpoints;
    const used = withSiblings(this.#choose(all));
    if (used.length === 0) return [this.#noInterface(system)];
    if (seen === this.#settled && this.#isWhole([...endpoints.keys()])) return [];
    this.#options.browser.system = system;
    const names = used.map(({ name }) => name);
    const gone = [...endpoints].filter(([name]) => !names.includes(name));
    for (const [name] of gone) endpoints.delete(name);
    await Promise.all(gone.map(([, endpoint]) => endpoint.leave()));
    // Before anything new is joined, which the kernel would tell all of them about.
    for (const endpoint of endpoints.values()) endpoint.keepOut(all);
    const outcomes = used.map((on) => {
      const endpoint = endpoints.get(on.name) ?? new Endpoint(on.name, this.#options);
      endpoints.set(on.name, endpoint);
      return endpoint.follow(on, all);
    });
    const failures = (await Promise.all(outcomes)).filter((failure) => failure !== null);
    this.#settled = this.#isWhole(names) ? seen : "";
    return failures;
  }

  /** The interfaces to use; none while a network that just went may come back. */
  #choose(all: readonly NetworkInterface[]): NetworkInterface[] {
    const { wanted, memory, context, browser } = this.#options;
    const { used } = chooseInterfaces(all, wanted);
    const nowMs = context.clock.now();
    const leadsOut = used.some(({ loopback }) => !loopback);
    if (leadsOut) memory.ledOutMs = nowMs;
    if (leadsOut && this.standsIn) browser.settleAgain();
    this.standsIn = !leadsOut && wanted === undefined && memory.ledOutMs > Number.NEGATIVE_INFINITY;
    return this.standsIn && nowMs - memory.ledOutMs < returnMs ? [] : used;
  }

  #isWhole(names: readonly string[]): boolean {
    return names.every((name) => this.#endpoints.get(name)?.isWhole);
  }

  #noInterface({ interfaces }: System): DiscoveryError {
    const present = interfaces.map(({ name }) => name).join(", ") || "none";
    const { wanted, via } = this.#options;
    const among = wanted ? `among ${wanted.map((one) => `"${one}"`).join(", ")} ` : "";
    const message = `no usable network interface ${among}has an address (interfaces that are up: ${present})`;
    return new DiscoveryError("NO_INTERFACE", message, { via });
  }
}
