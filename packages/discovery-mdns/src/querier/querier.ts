import {
  type Alive,
  type Clock,
  Deadlines,
  type Gone,
  type SeenNode,
} from "@lmserv/discovery-core/transport";
import type { System } from "@lmserv/discovery-network";
import { type Name, nameKey } from "../dns/name.ts";
import { type Message, type ResourceRecord, recordTypes } from "../dns/record.ts";
import { addressesOf, isOwn } from "../link/interfaces.ts";
import type { Link } from "../link/link.ts";
import { Cache } from "./cache.ts";
import { DuplicateQuestions } from "./duplicate-questions.ts";
import { type Instance, maxSlackMs } from "./instance.ts";
import { QuestionBudget } from "./question-budget.ts";
import { type Ask, questionsFor, sendAsks } from "./questions.ts";
import { rankAddresses } from "./reach.ts";
import { QuestionSeries, startDelayMs } from "./schedule.ts";

/** What a link tells of an instance; the lifetime is its SRV record's. */
export type Heard = (Alive & { readonly heardMs: number; readonly ttlMs: number }) | Gone;

export interface QuerierOptions {
  /** The transport's name. */
  readonly via: string;
  readonly clock: Clock;
  readonly random: () => number;
  /** The name of the PTR records that list the instances. */
  readonly listName: Name;
  /** How many instances are kept on each link. */
  readonly maxInstances: number;
}

/** Takes what a querier finds. */
export interface QuerierListener {
  /** This machine's network, as it was looked at last. */
  readonly system: System;
  tell(observation: Heard): void;
  /** Called when more instances are told of than the link has room for. */
  reportFullness(label: string): void;
}

/** A question due this soon is spared when another host asks the same. */
const soonMs = 1_500;
/** One packet holds about so many, and a flood of nodes is not gone through again and again. */
const maxEarly = 32;
/** A score of packets; with ten thousand made-up nodes it would be hundreds, written in one turn. */
const maxKnown = 512;
/** How long after a caller's first question the answers may come to this host alone (RFC 6762 section 5.4). */
const directMs = 500;

/** Browses on one link: asks when something is due, says what changed. */
export class Querier {
  /** Whether any mDNS packet came from another host. */
  heardOthers = false;
  /** The present one of its interface; to be started again when it is another. */
  link: Link;
  readonly #options: QuerierOptions;
  readonly #listener: QuerierListener;
  readonly #cache: Cache;
  readonly #duplicates: DuplicateQuestions;
  readonly #deadlines = new Deadlines();
  #budget = new QuestionBudget();
  #series: QuestionSeries | null = null;
  #isWanted = false;
  #ttlMs = 0;
  #directUntilMs = 0;
  #cancel: () => void = () => {};
  /** When the timer is due, or null when there is none. */
  #armedMs: number | null = null;

  constructor(link: Link, options: QuerierOptions, listener: QuerierListener) {
    this.link = link;
    this.#options = options;
    this.#listener = listener;
    const hasIPv4 = (): boolean => addressesOf(this.link.interface, "IPv4").length > 0;
    this.#cache = new Cache(options, hasIPv4, (instance) => this.#drop(instance));
    this.#duplicates = new DuplicateQuestions(
      options.listName,
      (name) => this.#cache.get(name) !== undefined,
    );
  }

  /** The interface and its address, for people. */
  get label(): string {
    const { name, addresses } = this.link.interface;
    return `${name} (${addresses[0]?.address ?? "no address"})`;
  }

  get loopback(): boolean {
    return this.link.interface.loopback;
  }

  /** Asks at once for a caller, after a short random wait for a new link (RFC 6762 section 5.2). */
  async start(ttlMs: number, why: "caller" | "link"): Promise<void> {
    this.#isWanted = true;
    this.#ttlMs = ttlMs;
    for (const instance of this.#cache.all()) this.#plan(instance);
    const isDirect = why === "caller" && (await this.link.invite());
    if (!this.#isWanted) return;
    if (isDirect) this.#directUntilMs = this.#now() + directMs;
    this.#restart(why === "caller" ? 0 : this.#startDelayMs());
    if (why === "caller") this.#work();
  }

  /** Falls silent and forgets everything. */
  stop(): void {
    this.#isWanted = false;
    this.#disarm();
    this.#series = null;
    for (const instance of this.#cache.all()) this.#deadlines.delete(nameKey(instance.name));
    this.#cache.clear();
    this.#budget = new QuestionBudget();
  }

  /** Says that everything here is out of reach, and stops. */
  abandon(): void {
    for (const { name } of this.#cache.all()) this.#tellGone(name, "unreachable");
    this.stop();
  }

  /** What is there, as it would be told now. */
  observations(): Heard[] {
    return [...this.#cache.all()].flatMap((instance) => this.#aliveOf(instance) ?? []);
  }

  /** Whether an instance is known that is not one of ours. */
  hasOthers(isOwn: (instance: Name) => boolean): boolean {
    return [...this.#cache.all()].some((instance) => instance.location && !isOwn(instance.name));
  }

  reconfirm(key: string): void {
    const name = this.#nameOf(key);
    const instance = name === null ? undefined : this.#cache.get(name);
    if (instance) this.#doubt([instance]);
  }

  /** Has everything reconfirmed: it may have gone while nobody listened. */
  reconfirmAll(): void {
    this.#doubt(this.#cache.all());
  }

  /** Takes whatever came in on the link. */
  take(message: Message, from: string): void {
    if (!this.#isWanted) return;
    if (!isOwn(from, this.link.interface)) this.heardOthers = true;
    if (!this.#series) return;
    if (message.response) this.#takeResponse(message, from);
    else if (!isOwn(from, this.link.interface)) this.#overhear(message, from);
  }

  #takeResponse(message: Message, from: string): void {
    const touched = this.#cache.take(message, from, this.#now());
    for (const instance of touched) {
      if (instance.hasAnswered) this.#budget.refund(instance);
      this.#tell(instance);
      this.#plan(instance);
    }
    if (touched.size > 0) this.#arm();
    if (this.#cache.refused > 0) this.#listener.reportFullness(this.label);
  }

  #tell(instance: Instance): void {
    const alive = this.#aliveOf(instance);
    if (alive) this.#listener.tell(alive);
  }

  #tellGone(name: Name, reason: Gone["reason"]): void {
    this.#listener.tell({ kind: "gone", via: this.#options.via, key: this.#keyOf(name), reason });
  }

  /** Others ask too: their question saves ours, and their lack of an answer tells us something. */
  #overhear(message: Message, from: string): void {
    const { questions, answers, truncated } = message;
    if (this.#duplicates.take(message, from)) this.#series?.heard(this.#now());
    if (truncated) return;
    for (const { name, type, unicast } of questions) {
      const isKnown = answers.some((known) => nameKey(known.name) === nameKey(name));
      if (type === recordTypes.SRV && !unicast && !isKnown) this.#overhearDoubt(name);
    }
    this.#arm();
  }

  #overhearDoubt(name: Name): void {
    const instance = this.#cache.get(name);
    if (!instance) return;
    const nowMs = this.#now();
    instance.overhear(nowMs);
    // Its answer is multicast: a question of ours that is due soon need not be asked (RFC 6762 section 7.3).
    const step = instance.nextStep(this.#ttlMs, nowMs);
    const isDue = step.kind === "ask" && step.atMs <= nowMs + soonMs;
    if (isDue && instance.isComplete(nowMs)) instance.asked(nowMs);
    this.#plan(instance);
  }

  #now(): number {
    return this.#options.clock.now();
  }

  #startDelayMs(): number {
    return startDelayMs.from + this.#options.random() * (startDelayMs.to - startDelayMs.from);
  }

  #restart(delayMs: number): void {
    const startMs = this.#now() + delayMs;
    if (this.#series) this.#series.restart(startMs);
    else this.#series = new QuestionSeries(startMs);
    this.#arm();
  }

  #keyOf(name: Name): string {
    return `${name}@${this.link.interface.name}`;
  }

  /** The instance that a key is of, or null for one of another interface. */
  #nameOf(key: string): Name | null {
    const end = `@${this.link.interface.name}`;
    return key.endsWith(end) ? key.slice(0, -end.length) : null;
  }

  #doubt(instances: Iterable<Instance>): void {
    for (const instance of instances) {
      instance.doubt(this.#now());
      this.#plan(instance);
    }
    this.#arm();
  }

  #aliveOf(instance: Instance): Heard | null {
    const nowMs = this.#now();
    const { name, origin, location, host, text, leaving, sources } = instance;
    if (!location || !text || leaving || instance.patienceEndMs(nowMs) !== null) return null;
    const { port, target, seenMs: heardMs } = location;
    const ttlMs = location.ttlMs - (nowMs - heardMs);
    const announced = host?.addresses(nowMs) ?? [];
    const addresses = rankAddresses(announced, {
      on: this.link.interface,
      sources,
      isTrusted: text.description.id !== null,
      system: this.#listener.system,
    });
    if (addresses.length === 0) return null;
    // The same on every link that the host is on.
    const announcer = `${nameKey(name)} ${nameKey(target)}:${port}`;
    const node: SeenNode = { trust: "announced", announcer, port, addresses, ...text.description };
    return { kind: "alive", via: this.#options.via, key: this.#keyOf(name), node, origin, heardMs, ttlMs };
  }

  #plan(instance: Instance): void {
    const nowMs = this.#now();
    const { atMs } = instance.nextStep(this.#ttlMs, nowMs);
    const addressEndMs = instance.host?.nextEndMs(nowMs) ?? null;
    const dueMs = [atMs, addressEndMs, instance.patienceEndMs(nowMs)].filter((ms) => ms !== null);
    this.#deadlines.set(nameKey(instance.name), Math.min(...dueMs));
  }

  /** Does what is due, asks in one packet, and sets the timer for what is next. */
  #work(): void {
    const series = this.#series;
    if (!series) return;
    const nowMs = this.#now();
    const asked: Instance[] = [];
    const due = this.#dueInstances(nowMs);
    const questions = due.flatMap((instance) => this.#step(instance, nowMs, series, asked));
    const isListing = series.nextMs <= nowMs;
    if (isListing) {
      const over = series.over(this.link.families);
      questions.push({ name: this.#options.listName, type: recordTypes.PTR, over });
    }
    sendAsks(this.link, questions, () => this.#knownAnswers(nowMs), nowMs < this.#directUntilMs);
    // The next intervals count from when these left.
    const leftMs = this.#now();
    if (isListing) series.asked(leftMs);
    for (const instance of asked) {
      instance.asked(leftMs);
      this.#plan(instance);
    }
    this.#arm();
  }

  /** Sets the timer for what is next; what is due at once goes along with whatever else comes in now. */
  #arm(): void {
    const series = this.#series;
    if (!series) return;
    const nextMs = Math.min(this.#deadlines.first()?.atMs ?? Number.POSITIVE_INFINITY, series.nextMs);
    if (nextMs === this.#armedMs) return;
    this.#disarm();
    this.#armedMs = nextMs;
    this.#cancel = this.#options.clock.schedule(Math.max(nextMs - this.#now(), 0), () => {
      this.#armedMs = null;
      this.#work();
    });
  }

  #disarm(): void {
    this.#cancel();
    this.#armedMs = null;
  }

  /** Takes out of the plan the instances for which something is due, and those for which it nearly is. */
  #dueInstances(nowMs: number): Instance[] {
    const due = this.#takePlanned(nowMs);
    if (!due.some((instance) => instance.isRefreshed(nowMs))) return due;
    for (const instance of this.#takePlanned(nowMs + maxSlackMs, maxEarly)) {
      if (this.#mayBeAsked(instance, nowMs)) due.push(instance);
      else this.#plan(instance);
    }
    return due;
  }

  #takePlanned(untilMs: number, most: number = Number.POSITIVE_INFINITY): Instance[] {
    const planned: Instance[] = [];
    for (
      let first = this.#deadlines.first();
      first && first.atMs <= untilMs && planned.length < most;
      first = this.#deadlines.first()
    ) {
      this.#deadlines.delete(first.key);
      const instance = this.#cache.get(first.key);
      if (instance) planned.push(instance);
    }
    return planned;
  }

  #mayBeAsked(instance: Instance, nowMs: number): boolean {
    const step = instance.nextStep(this.#ttlMs, nowMs);
    return step.kind === "ask" && step.earliestMs <= nowMs;
  }

  /** Does what is due for an instance; returns the questions that are, and adds it to `asked` then. */
  #step(instance: Instance, nowMs: number, series: QuestionSeries, asked: Instance[]): Ask[] {
    const step = instance.nextStep(this.#ttlMs, nowMs);
    if ((step.kind === "ask" ? step.earliestMs : step.atMs) > nowMs) {
      // Not its own time: an address of its host ended, or need not be waited for any longer.
      this.#tell(instance);
      this.#plan(instance);
    } else if (step.kind === "ask") {
      asked.push(instance);
      const questions = questionsFor(instance, this.link.families, this.#ttlMs, nowMs);
      return this.#mayAsk(instance, questions.length, nowMs) ? questions : [];
    } else if (step.kind === "doubt") {
      instance.doubt(nowMs);
      this.#plan(instance);
    } else if (step.kind === "lapse") {
      this.#forget(instance);
      if (instance.hasAnswered) series.quicken(nowMs);
    } else {
      this.#forget(instance);
      this.#tellGone(instance.name, step.reason);
      if (step.reason === "unreachable" && instance.hasAnswered) series.quicken(nowMs);
    }
    return [];
  }

  /** What never answered is asked for within a budget, but at least once when it was heard of, or is doubted. */
  #mayAsk(instance: Instance, questions: number, nowMs: number): boolean {
    const isForLife = instance.doubted || instance.isRefreshed(nowMs);
    if (instance.hasAnswered || (isForLife && instance.askedInVain === 0)) return true;
    return this.#budget.admits(instance, questions, nowMs);
  }

  #forget(instance: Instance): void {
    this.#drop(instance);
    this.#cache.delete(instance);
  }

  /** What is no longer in the cache is no longer asked for; the registry has it expire. */
  #drop(instance: Instance): void {
    this.#budget.forget(instance);
    this.#deadlines.delete(nameKey(instance.name));
  }

  /** The pointers to what is there, those known longest first, with more than half of their lives ahead (RFC 6762 section 7.1). */
  #knownAnswers(nowMs: number): ResourceRecord[] {
    const known: ResourceRecord[] = [];
    for (const { name, pointer, location } of this.#cache.all()) {
      const leftMs = pointer.untilMs - nowMs;
      if (!location || leftMs <= (pointer.untilMs - pointer.seenMs) / 2) continue;
      const ttlS = Math.floor(leftMs / 1_000);
      known.push({ name: this.#options.listName, ttlS, flush: false, type: "PTR", target: name });
      if (known.length === maxKnown) break;
    }
    return known;
  }
}
