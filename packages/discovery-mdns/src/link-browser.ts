import type { Clock, SeenNode } from "@lmserv/discovery-core";
import { Hosts } from "./hosts.ts";
import { Instance, type Location } from "./instance.ts";
import type { Link } from "./link.ts";
import { rankAddresses } from "./reach.ts";
import { QuestionSeries, startDelayMs } from "./schedule.ts";
import { describe, isInstance, serviceType } from "./service.ts";
import { encode, maxPacketBytes } from "./wire/encode.ts";
import { type Name, nameKey } from "./wire/name.ts";
import { type Message, type Question, query, type ResourceRecord, recordTypes } from "./wire/record.ts";

/** What one link tells of one instance. */
export type Sighting =
  | {
      readonly kind: "alive";
      readonly key: string;
      readonly node: SeenNode;
      /** Lifetime of the SRV record, and when it was heard. */
      readonly ttlMs: number;
      readonly seenMs: number;
    }
  | { readonly kind: "gone"; readonly key: string; readonly reason: "goodbye" | "unreachable" };

/** As many as the registry lists; more on one link is a flood. */
const maxInstances = 10_000;
/** Questions due this soon go along, so that one packet asks for many. */
const slackMs = 250;

/** Browses on one link: knows its instances, asks when something is due, says what changed. */
export class LinkBrowser {
  /** Whether any mDNS packet came from another host. */
  heardOthers = false;
  readonly #link: Link;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #tell: (sighting: Sighting) => void;
  readonly #instances = new Map<string, Instance>();
  readonly #hosts = new Hosts();
  readonly #ownAddresses: ReadonlySet<string>;
  #series: QuestionSeries | null = null;
  #ttlMs = 0;
  #cancel: () => void = () => {};

  constructor(link: Link, clock: Clock, random: () => number, tell: (sighting: Sighting) => void) {
    this.#link = link;
    this.#clock = clock;
    this.#random = random;
    this.#tell = tell;
    this.#ownAddresses = new Set(link.interface.addresses.map(({ address }) => address));
  }

  /** The interface and its address, for people. */
  get label(): string {
    const { name, addresses } = this.#link.interface;
    return `${name} (${addresses[0]?.address ?? "no address"})`;
  }

  get loopback(): boolean {
    return this.#link.interface.loopback;
  }

  /** Asks at once for a caller, after a short random wait for a new link (RFC 6762 section 5.2). */
  start(ttlMs: number, why: "caller" | "link"): void {
    const { from, to } = startDelayMs;
    const delayMs = why === "caller" ? 0 : from + this.#random() * (to - from);
    const startMs = this.#clock.now() + delayMs;
    this.#ttlMs = ttlMs;
    if (this.#series) this.#series.restart(startMs);
    else this.#series = new QuestionSeries(startMs);
    this.#work();
  }

  /** Falls silent and forgets everything. */
  stop(): void {
    this.#cancel();
    this.#series = null;
    this.#instances.clear();
    this.#hosts.retain([]);
  }

  /** Says that everything here is out of reach, and stops. */
  abandon(): void {
    for (const { name } of this.#instances.values()) {
      this.#tell({ kind: "gone", key: this.#keyOf(name), reason: "unreachable" });
    }
    this.stop();
  }

  sightings(): Sighting[] {
    return [...this.#instances.values()].flatMap((instance) => this.#sightingOf(instance) ?? []);
  }

  /** Whether an instance is known that is not one of ours. */
  hasOthers(isOwn: (instance: Name) => boolean): boolean {
    return [...this.#instances.values()].some((instance) => instance.location && !isOwn(instance.name));
  }

  reconfirm(key: string): void {
    for (const instance of this.#instances.values()) {
      if (this.#keyOf(instance.name) === key) instance.doubt(this.#clock.now());
    }
    this.#work();
  }

  take(message: Message, from: string): void {
    if (!this.#ownAddresses.has(from)) this.heardOthers = true;
    if (!message.response || !this.#series) return;
    const records = [...message.answers, ...message.additionals];
    const touched = new Set<Instance>();
    for (const record of records) {
      const instance = this.#takePointer(record) ?? this.#takeLocation(record, from);
      if (instance) touched.add(instance);
    }
    for (const record of records) {
      const instance = this.#takeText(record);
      if (instance) touched.add(instance);
    }
    for (const instance of this.#takeAddresses(records)) touched.add(instance);
    for (const instance of touched) {
      const sighting = this.#sightingOf(instance);
      if (sighting) this.#tell(sighting);
    }
    if (touched.size > 0) this.#work();
  }

  #takePointer(record: ResourceRecord): Instance | null {
    if (record.type !== "PTR" || nameKey(record.name) !== serviceType || !isInstance(record.target))
      return null;
    const nowMs = this.#clock.now();
    if (record.ttlS === 0) return this.#takeGoodbye(record.target);
    const instance = this.#instanceOf(record.target);
    instance?.point(nowMs, record.ttlS * 1_000);
    return instance;
  }

  #takeLocation(record: ResourceRecord, source: string): Instance | null {
    if (record.type !== "SRV" || !isInstance(record.name) || record.port === 0) return null;
    if (record.ttlS === 0) return this.#takeGoodbye(record.name);
    const instance = this.#instanceOf(record.name);
    const { port, target } = record;
    instance?.locate({ port, target, source, ttlMs: record.ttlS * 1_000, seenMs: this.#clock.now() });
    return instance;
  }

  #takeGoodbye(name: Name): Instance | null {
    const instance = this.#instances.get(nameKey(name));
    instance?.sayGoodbye(this.#clock.now());
    return instance ?? null;
  }

  #takeText(record: ResourceRecord): Instance | null {
    if (record.type !== "TXT" || record.ttlS === 0) return null;
    const instance = this.#instances.get(nameKey(record.name));
    if (!instance) return null;
    const untilMs = this.#clock.now() + record.ttlS * 1_000;
    instance.text = { description: describe(record.strings), untilMs };
    return instance;
  }

  /** Takes the addresses of hosts that instances are on, and returns those instances. */
  #takeAddresses(records: readonly ResourceRecord[]): Instance[] {
    const addresses = records.filter((record) => record.type === "A");
    if (addresses.length === 0) return [];
    const byHost = new Map(addresses.map((record) => [nameKey(record.name), record.name]));
    const residents = [...this.#instances.values()].filter(
      ({ location }) => location && byHost.has(nameKey(location.target)),
    );
    const inhabited = new Set(
      residents.flatMap(({ location }) => (location ? [nameKey(location.target)] : [])),
    );
    for (const host of inhabited) {
      const own = addresses.filter((record) => nameKey(record.name) === host);
      this.#hosts.take(host, own, this.#clock.now());
    }
    return residents;
  }

  #instanceOf(name: Name): Instance | null {
    const key = nameKey(name);
    const known = this.#instances.get(key);
    if (known || this.#instances.size >= maxInstances) return known ?? null;
    const instance = new Instance(name, this.#clock.now(), this.#random());
    this.#instances.set(key, instance);
    return instance;
  }

  #forget(instance: Instance): void {
    this.#instances.delete(nameKey(instance.name));
    this.#hosts.retain([...this.#instances.values()].flatMap(({ location }) => location?.target ?? []));
  }

  #keyOf(name: Name): string {
    return `${name}@${this.#link.interface.name}`;
  }

  #sightingOf({ name, location, text, leaving }: Instance): Sighting | null {
    if (!location || !text || leaving) return null;
    const { ttlMs, seenMs } = location;
    return {
      kind: "alive",
      key: this.#keyOf(name),
      node: this.#nodeOf(location, text.description),
      ttlMs,
      seenMs,
    };
  }

  #nodeOf({ port, target, source }: Location, description: ReturnType<typeof describe>): SeenNode {
    const announced = this.#hosts.addressesOf(target, this.#clock.now());
    const addresses = rankAddresses(announced, source, this.#link.interface);
    return { trust: "announced", port, addresses, ...description };
  }

  #isComplete({ location, text }: Instance): boolean {
    const nowMs = this.#clock.now();
    return location !== null && text !== null && this.#hosts.knowsUntil(location.target, nowMs);
  }

  /** Does what is due, asks in one packet, and sets the timer for what is next. */
  #work(): void {
    const series = this.#series;
    if (!series) return;
    this.#cancel();
    const nowMs = this.#clock.now();
    const questions: Question[] = [];
    let nextMs = Number.POSITIVE_INFINITY;
    for (const instance of this.#instances.values()) {
      questions.push(...this.#step(instance, nowMs, series));
      if (!this.#instances.has(nameKey(instance.name))) continue;
      nextMs = Math.min(nextMs, instance.nextStep(this.#ttlMs, this.#isComplete(instance)).atMs);
    }
    if (series.nextMs <= nowMs) {
      questions.push(ask(serviceType, recordTypes.PTR));
      series.asked(nowMs);
    }
    if (questions.length > 0) this.#ask(questions, nowMs);
    this.#cancel = this.#clock.schedule(Math.min(nextMs, series.nextMs) - nowMs, () => this.#work());
  }

  /** Ends an instance whose time is up, or returns the questions that are due for it. */
  #step(instance: Instance, nowMs: number, series: QuestionSeries): Question[] {
    const step = instance.nextStep(this.#ttlMs, this.#isComplete(instance));
    if (step.atMs > nowMs + (step.kind === "ask" ? slackMs : 0)) return [];
    if (step.kind === "ask") return this.#questionsFor(instance, nowMs);
    this.#forget(instance);
    if (step.kind === "gone")
      this.#tell({ kind: "gone", key: this.#keyOf(instance.name), reason: step.reason });
    else series.quicken(nowMs);
    return [];
  }

  #questionsFor(instance: Instance, nowMs: number): Question[] {
    const { name, location, text } = instance;
    const complete = this.#isComplete(instance);
    const neededMs = nowMs + this.#ttlMs;
    const questions = [ask(name, recordTypes.SRV)];
    if (!text || text.untilMs < neededMs) questions.push(ask(name, recordTypes.TXT));
    if (location && !this.#hosts.knowsUntil(location.target, neededMs)) {
      questions.push(ask(location.target, recordTypes.A));
    }
    instance.asked(nowMs, complete);
    return questions;
  }

  #ask(questions: readonly Question[], nowMs: number): void {
    const listing = questions.some(({ type }) => type === recordTypes.PTR);
    const answers = listing ? this.#knownAnswers(nowMs) : [];
    for (const packet of encode(query({ questions, answers }), { maxBytes: maxPacketBytes })) {
      this.#link.send(packet);
    }
  }

  /** The pointers with more than half of their lives ahead (RFC 6762 section 7.1). */
  #knownAnswers(nowMs: number): ResourceRecord[] {
    return [...this.#instances.values()].flatMap(({ name, pointer }) => {
      const leftMs = pointer.untilMs - nowMs;
      if (leftMs <= (pointer.untilMs - pointer.seenMs) / 2) return [];
      return { name: serviceType, ttlS: Math.floor(leftMs / 1_000), flush: false, type: "PTR", target: name };
    });
  }
}

function ask(name: Name, type: number): Question {
  return { name, type, unicast: false };
}
