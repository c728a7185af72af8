import {
  type Clock,
  DiscoveryError,
  Standstill,
  type TransportContext,
  toDiscoveryError,
} from "@lmserv/discovery-core";
import type { System } from "@lmserv/discovery-network";
import { Responder } from "../responder/responder.ts";
import { Said } from "../responder/said.ts";
import {
  chooseInterfaces,
  type Family,
  families,
  type LinkInterface,
  listInterfaces,
  type NetworkInterface,
  withSiblings,
} from "./interfaces.ts";
import { type Endpoint, type Link, type LinkEvents, mdnsPort } from "./link.ts";
import { Retry } from "./retry.ts";

/** What a session needs of its machine. */
export interface Machine {
  /** @throws what the system says when the port cannot be bound or the group not be joined. */
  readonly openLink: (on: LinkInterface, events: LinkEvents, clock: Clock) => Promise<Link>;
  system(): System;
  readonly hostname: () => string;
}

/** An interface in use, and who speaks on it. */
export interface Station {
  readonly link: Link;
  readonly responder: Responder;
}

export interface StationEvents {
  readonly packet: (station: Station, bytes: Uint8Array, from: Endpoint) => void;
  /** An interface can be used, or its link was made anew. */
  readonly came: (station: Station) => void;
  readonly went: (interfaceName: string) => void;
  /** The machine slept, or this process was suspended. */
  readonly woke: () => void;
}

export interface StationOptions {
  readonly via: string;
  /** Interfaces to use, by name or address. */
  readonly wanted: readonly string[] | undefined;
}

/** How often the machine's interfaces are looked at, in ms: most of what an idle process costs. */
const pollMs = 3_000;
/** A fault that lasts is reported again after this while, in ms. */
const reportAgainMs = 60_000;

/** The interface or its address just went, or is new and still being checked: the next look tells. */
const passingCodes: ReadonlySet<unknown> = new Set(["EADDRNOTAVAIL", "ENETUNREACH", "ENODEV", "ENXIO"]);

interface Kept extends Station {
  readonly identity: string;
  /** When the families that the link lacks are tried again. */
  readonly retry: Retry;
  /** When sending last failed and that was reported. */
  sendFailedMs: number;
}

/** Keeps a station on each usable interface while interfaces come, go and change. */
export class Stations {
  /** This machine's network, as it was looked at last. */
  system: System = { interfaces: [] };
  readonly #context: TransportContext;
  readonly #options: StationOptions;
  readonly #machine: Machine;
  readonly #events: StationEvents;
  readonly #stations = new Map<string, Kept>();
  /** The interfaces of which it was said that they came, also while their links are being made anew. */
  readonly #known = new Set<string>();
  /** Of each interface and family that cannot be used, why, as it was reported. */
  readonly #hampered = new Map<string, string>();
  readonly #said: Said;
  readonly #standstill = new Standstill();
  /** The interfaces as they were at the latest look that left nothing to be done. */
  #settled = "";
  #cancelPoll: () => void = () => {};
  #following: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(context: TransportContext, options: StationOptions, machine: Machine, events: StationEvents) {
    this.#context = context;
    this.#said = new Said(context.clock);
    this.#options = options;
    this.#machine = machine;
    this.#events = events;
  }

  /** @throws {DiscoveryError} `TRANSPORT_UNAVAILABLE` when no interface can be used, with the cause. */
  async open(): Promise<void> {
    const failures = await this.#follow();
    if (this.#stations.size === 0) throw this.#unavailable(failures[0]);
    for (const failure of failures) this.#context.report(failure);
    this.#poll(new Set(failures.map(({ message }) => message)));
  }

  links(): Link[] {
    return [...this.#stations.values()].map(({ link }) => link);
  }

  responders(): Responder[] {
    return [...this.#stations.values()].map(({ responder }) => responder);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelPoll();
    await this.#following;
    await Promise.all([...this.#stations.keys()].map((name) => this.#remove(name)));
  }

  /** Looks again in a while; a failure that lasts is reported once. */
  #poll(reported: ReadonlySet<string>): void {
    const { clock, report } = this.#context;
    this.#standstill.expect(clock.now() + pollMs);
    this.#standstill.hasSlept(clock.now(), clock.wall());
    this.#cancelPoll = clock.schedule(pollMs, () => {
      const isLate = this.#standstill.isLate(clock.now());
      const hasSlept = this.#standstill.hasSlept(clock.now(), clock.wall()) || isLate;
      this.#following = this.#follow().then((failures) => {
        if (this.#closed) return;
        if (hasSlept) this.#events.woke();
        for (const failure of failures) if (!reported.has(failure.message)) report(failure);
        this.#poll(new Set(failures.map(({ message }) => message)));
      });
    });
  }

  /** Brings the stations in line with the machine's interfaces; returns what could not be opened. */
  async #follow(): Promise<DiscoveryError[]> {
    const system = this.#machine.system();
    const all = listInterfaces(system);
    const seen = JSON.stringify(all);
    if (seen === this.#settled) return [];
    this.system = system;
    const wanted = withSiblings(chooseInterfaces(all, this.#options.wanted).used);
    const names = new Set(wanted.map(({ name }) => name));
    const lost = [...this.#known].filter((name) => !names.has(name));
    for (const name of lost) {
      this.#known.delete(name);
      for (const family of families) this.#hampered.delete(`${name} ${family}`);
      this.#events.went(name);
    }
    await Promise.all(lost.map((name) => this.#remove(name)));
    // Before anything new is joined, which the kernel would tell all of them about.
    for (const { link } of this.#stations.values()) link.keepOut(othersThan(link.interface, all));
    const changed = wanted.filter((on) => this.#stations.get(on.name)?.identity !== identityOf(on));
    const outcomes = await Promise.all(changed.map((on) => this.#renew(on, all)));
    const failures = outcomes.filter((failure) => failure !== null);
    await Promise.all([...this.#stations.values()].map((station) => this.#mend(station, all)));
    if (wanted.length > 0 && wanted.every(({ name }) => this.#isWhole(name))) this.#settled = seen;
    return wanted.length > 0 ? failures : [this.#noInterface()];
  }

  /** Whether nothing is left to be done for an interface. */
  #isWhole(name: string): boolean {
    return this.#stations.get(name)?.link.missing.length === 0;
  }

  /** Tries again what a link lacks; who speaks on it starts anew when it has more. */
  async #mend(station: Kept, all: readonly NetworkInterface[]): Promise<void> {
    const { link, retry } = station;
    const { clock, log } = this.#context;
    if (link.missing.length === 0 || !retry.isDue(clock.now())) return;
    const mended = await link.mend();
    const on = link.interface;
    if (this.#stations.get(on.name) !== station) return;
    if (link.missing.length > 0) retry.failed(clock.now());
    if (mended.length === 0) return;
    link.keepOut(othersThan(on, all));
    log("info", `mDNS runs on ${on.name} over ${mended.join(" and ")}, too, from now on`);
    station.responder.close();
    this.#admit({ ...station, responder: this.#responderOn(link) });
  }

  #responderOn(link: Link): Responder {
    const { clock, random } = this.#context;
    return new Responder(link, clock, random, this.#said);
  }

  #admit(station: Kept): void {
    const { link } = station;
    const { name } = link.interface;
    for (const family of link.families) this.#hampered.delete(`${name} ${family}`);
    this.#stations.set(name, station);
    this.#known.add(name);
    this.#events.came(station);
  }

  async #renew(on: LinkInterface, all: readonly NetworkInterface[]): Promise<DiscoveryError | null> {
    await this.#remove(on.name);
    try {
      const link = await this.#machine.openLink(on, this.#eventsOf(on.name), this.#context.clock);
      link.keepOut(othersThan(on, all));
      this.#admit({
        link,
        responder: this.#responderOn(link),
        identity: identityOf(on),
        retry: new Retry(this.#context.clock.now()),
        sendFailedMs: Number.NEGATIVE_INFINITY,
      });
      this.#context.log("debug", `mDNS runs on ${on.name}`, { addresses: on.addresses });
      return null;
    } catch (error) {
      return this.#unusable(on.name, error);
    }
  }

  #unusable(where: string, error: unknown): DiscoveryError {
    const { via } = this.#options;
    const { message, code } = toDiscoveryError(error, "INTERFACE_UNUSABLE", via);
    return new DiscoveryError(code, `UDP port ${mdnsPort} cannot be used on ${where}: ${message}`, {
      via,
      cause: error,
    });
  }

  #eventsOf(name: string): LinkEvents {
    return {
      packet: (bytes, from) => {
        const station = this.#stations.get(name);
        if (station) this.#events.packet(station, bytes, from);
      },
      sendFailed: (error) => this.#reportSendFailure(name, error),
      hampered: (family, error) => this.#reportHampered(name, family, error),
      died: (error) => {
        this.#reportSendFailure(name, error);
        // The next look at the interfaces opens it anew, if it is still there.
        this.#remove(name).catch((failure: unknown) => {
          this.#context.log("debug", `a dead link could not be closed: ${String(failure)}`);
        });
      },
    };
  }

  /** Says once why a family cannot be used, and again when the reason changes. */
  #reportHampered(name: string, family: Family, error: unknown): void {
    const { code, message } = this.#unusable(`${name} over ${family}`, error);
    const key = `${name} ${family}`;
    if (this.#hampered.get(key) === message) return;
    this.#hampered.set(key, message);
    const { via } = this.#options;
    const hope = `${message}; the other family goes on, and this one is tried again`;
    this.#context.report(new DiscoveryError(code, hope, { via, cause: error }));
  }

  async #remove(name: string): Promise<void> {
    const station = this.#stations.get(name);
    if (!station) return;
    this.#stations.delete(name);
    this.#settled = "";
    station.responder.close();
    await station.link.close();
  }

  #reportSendFailure(name: string, error: Error): void {
    const station = this.#stations.get(name);
    const nowMs = this.#context.clock.now();
    if (!station || this.#closed || isPassing(error) || nowMs - station.sendFailedMs < reportAgainMs) return;
    station.sendFailedMs = nowMs;
    const { via } = this.#options;
    this.#context.report(
      new DiscoveryError("SEND_FAILED", `cannot send on ${name}: ${error.message}`, { via, cause: error }),
    );
  }

  #unavailable(failure: DiscoveryError | undefined): DiscoveryError {
    const cause = failure ?? this.#noInterface();
    // A port that is taken, or a missing interface, is why nothing at all can be used.
    return new DiscoveryError("TRANSPORT_UNAVAILABLE", cause.message, { via: this.#options.via, cause });
  }

  #noInterface(): DiscoveryError {
    const { interfaces } = this.#machine.system();
    const present = interfaces.map(({ name }) => name).join(", ") || "none";
    const { wanted, via } = this.#options;
    const among = wanted ? `among ${wanted.map((one) => `"${one}"`).join(", ")} ` : "";
    const message = `no usable network interface ${among}has an address (interfaces that are up: ${present})`;
    return new DiscoveryError("NO_INTERFACE", message, { via });
  }
}

function isPassing(error: Error): boolean {
  return "code" in error && passingCodes.has(error.code);
}

function othersThan(on: NetworkInterface, all: readonly NetworkInterface[]): NetworkInterface[] {
  return all.filter(({ name }) => name !== on.name);
}

/** What, when it changes, asks for new sockets and a new announcement. */
function identityOf({ index, addresses, siblings }: LinkInterface): string {
  return JSON.stringify([index, addresses, siblings]);
}
