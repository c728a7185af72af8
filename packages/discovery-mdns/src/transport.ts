import { hostname } from "node:os";
import { assertOptions, nameShape, type Transport } from "@lmserv/discovery-core/transport";
import { readSystem } from "@lmserv/discovery-network";
import type { HostAccess } from "./doctor/diagnosis.ts";
import type { Machine } from "./link/link.ts";
import { openLink } from "./link/wire-link.ts";
import { Memory } from "./memory.ts";
import { MdnsSession } from "./session.ts";
import { settings } from "./settings.ts";

export interface MdnsOptions {
  /**
   * Interfaces to use, by name or address.
   *
   * @default every one but those that lead only to this machine's own containers and tunnels
   */
  readonly interfaces?: readonly string[];
  /**
   * Browses only nodes of one server kind, such as `ollama`.
   *
   * @default all
   * @see RFC 6763 section 7.1
   */
  readonly subtype?: string;
  /** Bound on the nodes of each interface, 1..100_000. @default 10_000 */
  readonly maxInstances?: number;
  /** Name in a composition. @default "mdns" */
  readonly name?: string;
}

const thisMachine: Machine = {
  openLink,
  system: () => readSystem(),
  hostname,
};

/**
 * DNS-SD over multicast DNS: finds and announces `_lmserv._tcp.local.`
 *
 * @throws {TypeError | RangeError} for options of a wrong type or out of range.
 * @see RFC 6762, RFC 6763
 */
export function mdns(options: MdnsOptions = {}): Transport {
  return mdnsOn(thisMachine, options);
}

/** The transport on any machine, such as one that a test makes. */
export function mdnsOn(machine: Machine, options: MdnsOptions = {}, host?: HostAccess): Transport {
  assertOptions("mdns", options, { ...settings, name: nameShape });
  const { interfaces, subtype, maxInstances = 10_000, name = "mdns" } = options;
  const memory = new Memory();
  return {
    name,
    async open(context, { signal }) {
      const options = { name, interfaces, subtype, maxInstances };
      const session = new MdnsSession(context, options, machine, memory);
      await session.open(signal);
      return session;
    },
    async *diagnose(context, cancellable) {
      // A quarter of the modules, needed by no program that only discovers.
      const { diagnose, thisHost } = await import("./doctor/diagnosis.ts");
      const on = { via: name, wanted: interfaces };
      yield* diagnose(on, machine, host ?? thisHost, context, cancellable);
    },
  };
}
