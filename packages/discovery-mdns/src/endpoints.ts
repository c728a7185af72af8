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
  /** Called when no interface or no socket is left. */
  readonly failed: (cause: DiscoveryError) => void;
}

/** Interval at which the machine's interfaces are read, in ms: most of the cost of an idle process. */
const pollMs = 3_000;
/**
 * Wait for a lost network before loopback stands in, in ms: the lifetime of an address (RFC 6762 section 10).
 */
const returnMs = 120_000;

/** Keeps an endpoint on each usable interface while interfaces come, go and change. */
export class Endpoints {
  readonly #options: EndpointsOptions;
  /** Endpoints by interface name. */
  readonly #endpoints = new Map<string, Endpoint>();
  /** True while loopback stands in for a lost network. */
  standsIn = false;
  readonly #standstill = new Standstill();
  /** Interfaces of the latest look that left nothing to do. */
  #settled = "";
  /** Errors of the latest look: a lasting error is reported once. */
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
      // A taken port or a missing interface explains why no interface can be used.
      throw new DiscoveryError("TRANSPORT_UNAVAILABLE", cause.message, { via: this.#options.via, cause });
    }
    this.#report(failures);
    this.#poll();
  }

  /** Responders of the interfaces with an open socket. */
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

  /**
   * Renews all announcements and questions after a suspension, in which both sides' records may have expired.
   */
  #wake(): void {
    for (const announcer of this.#options.announcers) announcer.renew();
    this.#options.browser.wake();
  }

  #report(failures: readonly DiscoveryError[]): void {
    const before = this.#reported;
    this.#reported = new Set(failures.map(({ message }) => message));
    for (const failure of failures) if (!before.has(failure.message)) this.#options.context.report(failure);
  }

  /**
   * Brings the endpoints in line with the machine's interfaces; returns the errors of those that could not be
   * opened.
   */
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
    // Done before a new group is joined: the kernel would deliver its packets to all sockets.
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

  /** Interfaces to use; none while a lost network may come back. */
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
