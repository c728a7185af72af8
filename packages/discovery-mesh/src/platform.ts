import { hostname } from "node:os";
import type { SeenAddress } from "@lmserv/discovery-core";
import { formatEndpoint, isIPv6 } from "@lmserv/discovery-core/transport";
import {
  isOwnAddress,
  isSameMachine,
  isSameStack,
  isUnspecified,
  type MachineMark,
  ownAddresses,
  rankAddresses,
  readSystem,
  type System,
  thisMachine,
} from "@lmserv/discovery-network";
import type { AliveRecord } from "@lmserv/discovery-signing";
import type { ListenAddress } from "./link/listen-address.ts";

/** What is asked of the operating system. */
export interface PlatformFacts {
  system(): System;
  mark(): MachineMark;
  hostname(): string;
}

interface Ranked {
  readonly remoteAddress: string | null;
  readonly system: System;
  readonly addresses: readonly SeenAddress[];
}

/** A record names at most 16 addresses; 8 leave room for those that others see. */
const maxAddresses = 8;

/** The networks of this machine, and how addresses look from there. */
export class Platform {
  readonly #facts: PlatformFacts;
  /** Asking the system takes long, and the answer holds for a while. */
  #system: System;
  #mark: MachineMark;
  /** Of each member, how its addresses were ranked last. */
  readonly #ranked = new WeakMap<AliveRecord, Ranked>();

  /** @param facts - Those of a machine; this one's unless given. */
  constructor(facts: PlatformFacts = { system: readSystem, mark: thisMachine, hostname }) {
    this.#facts = facts;
    this.#system = facts.system();
    this.#mark = facts.mark();
  }

  /** Tells members of this machine from others. */
  get mark(): MachineMark {
    return this.#mark;
  }

  get hostname(): string {
    return this.#facts.hostname();
  }

  /** Asks the system again. */
  look(): void {
    const system = this.#facts.system();
    if (JSON.stringify(system) === JSON.stringify(this.#system)) return;
    this.#system = system;
    this.#mark = this.#facts.mark();
  }

  /** Where others reach what listens there. */
  reachable(listening: readonly ListenAddress[]): readonly string[] {
    return reachableAddresses(listening, this.#system);
  }

  isOwn(address: string): boolean {
    return isOwnAddress(address, this.#system);
  }

  /** How our own addresses are expected to answer. */
  rankOwn(addresses: readonly string[]): readonly SeenAddress[] {
    return rankAddresses(addresses, { from: null, local: true, system: this.#system });
  }

  /** The same for a member; anew when its record, its link or our own networks are others. */
  rankOf(record: AliveRecord, remoteAddress: string | null): readonly SeenAddress[] {
    const system = this.#system;
    const before = this.#ranked.get(record);
    if (before?.remoteAddress === remoteAddress && before.system === system) return before.addresses;
    const local = this.#isLocal(record, remoteAddress);
    const addresses = rankAddresses(record.addresses, { from: remoteAddress, local, system });
    this.#ranked.set(record, { remoteAddress, system, addresses });
    return addresses;
  }

  /** Whether a member runs on this machine, by its mark; by its link where the mark does not tell. */
  #isLocal({ machine }: AliveRecord, remoteAddress: string | null): boolean {
    if (isSameStack(machine, this.#mark)) return true;
    const isOpen = machine.stack === null && isSameMachine(machine, this.#mark) === null;
    return isOpen && remoteAddress !== null && this.isOwn(remoteAddress);
  }
}

/** The addresses behind the ones that are listened on: those of the machine where one stands for all. */
export function reachableAddresses(listen: readonly ListenAddress[], system: System): string[] {
  if (listen.length === 0) return ownAddresses(system);
  const named = listen.map(({ host }) => host).filter((host) => !isUnspecified(host));
  const all = listen.some(({ host }) => isUnspecified(host)) ? ownAddresses(system) : [];
  return [...new Set([...named, ...all])].slice(0, maxAddresses);
}

/** The URLs of what is listened on, at the addresses by which others know this machine. */
export function urlsOf(
  listen: readonly ListenAddress[],
  addresses: readonly string[],
  secure: boolean,
): string[] {
  return addresses.flatMap((address) => {
    const on =
      listen.find(({ host }) => host === address) ?? listen.find(({ host }) => isForAll(host, address));
    return on ? [`${secure ? "wss" : "ws"}://${formatEndpoint(address, on.port)}`] : [];
  });
}

function isForAll(host: string, address: string): boolean {
  return isUnspecified(host) && isIPv6(host) === isIPv6(address);
}
