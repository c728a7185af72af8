import { isDeepStrictEqual } from "node:util";
import { FairSet, isLoopback, type Rank } from "@lmserv/discovery-core/transport";
import { isHostAddress } from "@lmserv/discovery-network";
import { type Name, nameKey } from "../dns/name.ts";
import { type Message, type ResourceRecord, recordKey } from "../dns/record.ts";
import { describe, isInstance, serviceType } from "../service.ts";
import { type AddressRecord, Host } from "./host.ts";
import { Instance, maxPatienceMs } from "./instance.ts";
import type { QuerierOptions } from "./querier.ts";

type Location = Extract<ResourceRecord, { type: "SRV" }>;

/** Fractional part of the golden ratio: its multiples modulo 1 spread evenly, for any count. */
const goldenPart = 0.618_034;
/** Cap of a record's lifetime in s; a day outlasts every refresh. */
const maxTtlS = 86_400;

/** Instances of one service type on one link, with their hosts. */
export class Cache {
  readonly #listName: string;
  /** True if the list holds every instance of the type, so that an SRV record introduces one, too. */
  readonly #listsAll: boolean;
  readonly #expectsIPv4: () => boolean;
  readonly #onDisplaced: (instance: Instance) => void;
  /** A flood from one address does not displace the instances that others introduce. */
  readonly #slots: FairSet;
  /** Jitter of the latest instance, in [0, 1). */
  #jitter: number;
  readonly #instances = new Map<string, Instance>();
  readonly #hosts = new Map<string, Host>();
  /** Count of instances that were refused or displaced. */
  refused = 0;

  /**
   * @param expectsIPv4 - True if the link has IPv4.
   * @param onDisplaced - Called with an instance that is forgotten to make room.
   */
  constructor(
    { listName, maxInstances, random }: QuerierOptions,
    expectsIPv4: () => boolean,
    onDisplaced: (instance: Instance) => void,
  ) {
    this.#listName = nameKey(listName);
    this.#listsAll = this.#listName === serviceType;
    this.#slots = new FairSet(maxInstances);
    this.#expectsIPv4 = expectsIPv4;
    this.#onDisplaced = onDisplaced;
    this.#jitter = random();
  }

  get(name: Name): Instance | undefined {
    return this.#instances.get(nameKey(name));
  }

  all(): IterableIterator<Instance> {
    return this.#instances.values();
  }

  delete(instance: Instance): void {
    const key = nameKey(instance.name);
    this.#slots.delete(key);
    this.#instances.delete(key);
    this.#reside(instance, null);
  }

  clear(): void {
    for (const instance of [...this.#instances.values()]) this.delete(instance);
  }

  /** Takes in a response, whatever the order of its records, and returns the instances that it concerns. */
  take({ answers, additionals }: Message, from: string, nowMs: number): ReadonlySet<Instance> {
    const records = [...answers, ...additionals].map(believe);
    const touched = new Set<Instance>();
    const touch = (instance: Instance | null): void => {
      if (instance) touched.add(instance);
    };
    for (const record of records) touch(this.#takePointer(record, from, nowMs));
    for (const record of records) touch(this.#takeLocation(record, from, nowMs));
    for (const record of records) touch(this.#takeText(record, nowMs));
    for (const instance of this.#takeAddresses(records, nowMs)) touched.add(instance);
    // Instances of the same packet may have been displaced meanwhile.
    for (const instance of touched) if (this.get(instance.name) !== instance) touched.delete(instance);
    return touched;
  }

  #takePointer(record: ResourceRecord, from: string, nowMs: number): Instance | null {
    if (record.type !== "PTR" || nameKey(record.name) !== this.#listName || !isInstance(record.target))
      return null;
    if (record.ttlS === 0) {
      const leaving = this.get(record.target);
      leaving?.sayGoodbye(nowMs);
      return leaving ?? null;
    }
    const instance = this.#introduce(record.target, from, nowMs);
    instance?.point(nowMs, record.ttlS * 1_000);
    return instance;
  }

  #takeLocation(record: ResourceRecord, from: string, nowMs: number): Instance | null {
    if (record.type !== "SRV" || !isInstance(record.name) || record.port === 0) return null;
    if (this.#isFull(record)) return null;
    const introduces = this.#listsAll && record.ttlS > 0;
    const instance = introduces ? this.#introduce(record.name, from, nowMs) : this.get(record.name);
    if (!instance) return null;
    const { port, target, ttlS } = record;
    const key = recordKey(record);
    if (ttlS === 0) instance.takeBack(key, nowMs);
    else instance.locate({ key, port, target, ttlMs: ttlS * 1_000, seenMs: nowMs }, record.flush, from);
    this.#reside(instance, instance.location?.target ?? null);
    return instance;
  }

  #takeText(record: ResourceRecord, nowMs: number): Instance | null {
    if (record.type !== "TXT") return null;
    const instance = this.get(record.name);
    if (!instance) return null;
    const description = describe(record.strings);
    if (record.ttlS > 0) instance.text = { description, untilMs: nowMs + record.ttlS * 1_000 };
    // A goodbye for the text: the last value stands until the next question brings another.
    else if (isDeepStrictEqual(description, instance.text?.description))
      instance.text = { description, untilMs: nowMs };
    return instance;
  }

  #takeAddresses(records: readonly ResourceRecord[], nowMs: number): Instance[] {
    const byHost = new Map<string, AddressRecord[]>();
    for (const record of records) {
      if ((record.type !== "A" && record.type !== "AAAA") || !isPossible(record.address)) continue;
      const host = nameKey(record.name);
      const addresses = byHost.get(host);
      if (addresses) addresses.push(record);
      else byHost.set(host, [record]);
    }
    return [...byHost].flatMap(([key, addresses]) => {
      const host = this.#hosts.get(key);
      host?.take(addresses, nowMs);
      return [...(host?.residents ?? [])];
    });
  }

  /** True if the host of an SRV record has no room for a new instance. */
  #isFull({ name, target }: Location): boolean {
    const host = this.#hosts.get(nameKey(target));
    return host?.isFull === true && this.get(name)?.host !== host;
  }

  #reside(instance: Instance, target: Name | null): void {
    const { host: left } = instance;
    const key = target === null ? null : nameKey(target);
    if (left?.key === key) return;
    left?.residents.delete(instance);
    if (left?.residents.size === 0) this.#hosts.delete(left.key);
    instance.host = key === null ? null : (this.#hosts.get(key) ?? new Host(key));
    instance.host?.residents.add(instance);
    if (instance.host) this.#hosts.set(instance.host.key, instance.host);
  }

  #introduce(name: Name, from: string, nowMs: number): Instance | null {
    const known = this.get(name);
    if (known) return known;
    if (!this.#makeRoom(from)) return null;
    this.#jitter = (this.#jitter + goldenPart) % 1;
    const key = nameKey(name);
    const patienceMs = this.#expectsIPv4() ? maxPatienceMs : 0;
    const instance = new Instance(name, from, nowMs, this.#jitter, patienceMs);
    this.#instances.set(key, instance);
    this.#slots.add(key, rankOf(from));
    return instance;
  }

  /** Returns true if an address may introduce another instance; one of a flood is displaced. */
  #makeRoom(from: string): boolean {
    const place = this.#slots.placeFor(rankOf(from));
    if (place === "free") return true;
    this.refused += 1;
    const loser = place === "none" ? undefined : this.#instances.get(place.insteadOf);
    if (!loser) return false;
    this.delete(loser);
    this.#onDisplaced(loser);
    return true;
  }
}

/** Sources on the link sign nothing. */
function rankOf(origin: string): Rank {
  return { trust: "announced", origin };
}

/** A loopback address stays: the packet's source replaces it later. */
function isPossible(address: string): boolean {
  return isHostAddress(address) || isLoopback(address);
}

function believe(record: ResourceRecord): ResourceRecord {
  return record.ttlS > maxTtlS ? { ...record, ttlS: maxTtlS } : record;
}
