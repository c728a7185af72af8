import {
  type Alive,
  type Clock,
  Deadlines,
  type Gone,
  type SeenNode,
} from "@lmserv/discovery-core/transport";
import type { System } from "@lmserv/discovery-network";
import { type Name, nameKey } from "../dns/name.ts";
import { type Message, recordTypes } from "../dns/record.ts";
import { addressesOf, isOwn } from "../link/interfaces.ts";
import type { Link } from "../link/link.ts";
import { Cache } from "./cache.ts";
import { DuplicateQuestions } from "./duplicate-questions.ts";
import { type Instance, maxSlackMs } from "./instance.ts";
import { QuestionBudget } from "./question-budget.ts";
import { type Ask, knownAnswers, questionsFor, sendAsks } from "./questions.ts";
import { rankAddresses } from "./reach.ts";
import { ReportQueue } from "./report-queue.ts";
import { QuestionSeries, startDelayMs } from "./schedule.ts";

/** Report of a link about an instance; the lifetime is that of its SRV record. */
export type Heard = (Alive & { readonly heardMs: number; readonly ttlMs: number }) | Gone;

export interface QuerierOptions {
  /** Name of the transport. */
  readonly via: string;
  readonly clock: Clock;
  readonly random: () => number;
  /** Name of the PTR records that list the instances. */
  readonly listName: Name;
  /** Bound on the instances of each link. */
  readonly maxInstances: number;
}

/** Receiver of a querier's reports. */
export interface QuerierListener {
  /** Latest snapshot of this machine's network. */
  readonly system: System;
  tell(observation: Heard): void;
  /** Called when the link has more instances than the limit. */
  reportFullness(label: string): void;
}

/** A question due within this time is suppressed by the same question of another host. */
const soonMs = 1_500;
/** Instances worked on in one turn; those of a flood are due together. */
const maxDue = 512;
/** Instances that fit one packet; bounds the search through a flood of nodes. */
const maxEarly = 32;
/** Time for answers by unicast after a caller's first question, in ms (RFC 6762 section 5.4). */
const directMs = 500;

/** Browses one link: sends due questions and reports changes. */
export class Querier {
  /** True after the first mDNS packet of another host. */
  heardOthers = false;
  /** Current link of the interface; a new one restarts the querier. */
  link: Link;
  readonly #options: QuerierOptions;
  readonly #listener: QuerierListener;
  readonly #cache: Cache;
  readonly #duplicates: DuplicateQuestions;
  readonly #deadlines = new Deadlines();
  readonly #reports: ReportQueue;
  #budget = new QuestionBudget();
  #series: QuestionSeries | null = null;
  #isWanted = false;
  #ttlMs = 0;
  #directUntilMs = 0;
  #cancel: () => void = () => {};
  /** Time of the armed timer, or null. */
  #armedMs: number | null = null;

  constructor(link: Link, options: QuerierOptions, listener: QuerierListener) {
    this.link = link;
    this.#options = options;
    this.#listener = listener;
    this.#reports = new ReportQueue(options.clock, (instances) => this.#report(instances));
    const hasIPv4 = (): boolean => addressesOf(this.link.interface, "IPv4").length > 0;
    this.#cache = new Cache(options, hasIPv4, (instance) => this.#drop(instance));
    this.#duplicates = new DuplicateQuestions(
      options.listName,
      (name) => this.#cache.get(name) !== undefined,
    );
  }

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

  /** Stops asking and forgets everything. */
  stop(): void {
    this.#isWanted = false;
    this.#disarm();
    this.#series = null;
    for (const instance of this.#cache.all()) this.#deadlines.delete(nameKey(instance.name));
    this.#cache.clear();
    this.#reports.clear();
    this.#budget = new QuestionBudget();
  }

  /** Reports every instance as unreachable, and stops. */
  abandon(): void {
    for (const { name } of this.#cache.all()) this.#tellGone(name, "unreachable");
    this.stop();
  }

  /** Current state of all instances, as reports. */
  observations(): Heard[] {
    return [...this.#cache.all()].flatMap((instance) => this.#aliveOf(instance) ?? []);
  }

  /** True if an instance of another process is known. */
  hasOthers(isOwn: (instance: Name) => boolean): boolean {
    return [...this.#cache.all()].some((instance) => instance.location && !isOwn(instance.name));
  }

  /** True if everything known is known as a whole, and was there before `sinceMs`. */
  isSettled(sinceMs: number): boolean {
    const nowMs = this.#now();
    return [...this.#cache.all()].every(
      (instance) => instance.firstMs < sinceMs && instance.isComplete(nowMs),
    );
  }

  reconfirm(key: string): void {
    const name = this.#nameOf(key);
    const instance = name === null ? undefined : this.#cache.get(name);
    if (instance) this.#doubt([instance]);
  }

  /** Reconfirms every instance: each may have gone during the suspension. */
  reconfirmAll(): void {
    this.#doubt(this.#cache.all());
  }

  take(message: Message, from: string): void {
    if (!this.#isWanted) return;
    if (!isOwn(from, this.link.interface)) this.heardOthers = true;
    if (!this.#series) return;
    if (message.response) this.#takeResponse(message, from);
    else if (!isOwn(from, this.link.interface)) this.#overhear(message, from);
  }

  #takeResponse(message: Message, from: string): void {
    const touched = this.#cache.take(message, from, this.#now());
    for (const instance of touched) if (instance.hasAnswered) this.#budget.refund(instance);
    if (touched.size > 0) this.#reports.add(touched);
    if (this.#cache.refused > 0) this.#listener.reportFullness(this.label);
  }

  #report(instances: readonly Instance[]): void {
    for (const instance of instances) {
      this.#tell(instance);
      this.#plan(instance);
    }
    this.#arm();
  }

  #tell(instance: Instance): void {
    const alive = this.#aliveOf(instance);
    if (alive) this.#listener.tell(alive);
  }

  #tellGone(name: Name, reason: Gone["reason"]): void {
    this.#listener.tell({ kind: "gone", via: this.#options.via, key: this.#keyOf(name), reason });
  }

  /** A question of another host saves ours, and its lack of an answer casts doubt. */
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
    // The answer will be multicast, so that a question due soon is suppressed (RFC 6762 section 7.3).
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

  /** Instance of a key, or null for a key of another interface. */
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
    // Equal on every link of the host.
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

  /** Does the due work, asks in one packet, and sets the timer for the next. */
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
    const known = () => knownAnswers(this.#cache.all(), this.#options.listName, nowMs);
    sendAsks(this.link, questions, known, nowMs < this.#directUntilMs);
    // The next intervals start when the packets left.
    const leftMs = this.#now();
    if (isListing) series.asked(leftMs);
    for (const instance of asked) {
      instance.asked(leftMs);
      this.#plan(instance);
    }
    this.#arm();
  }

  /** Sets the timer for the next work; work due at once is done with further packets of this turn. */
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

  /** Takes the instances with due work, and those with nearly due work, out of the plan. */
  #dueInstances(nowMs: number): Instance[] {
    const due = this.#takePlanned(nowMs, maxDue);
    if (!due.some((instance) => instance.isRefreshed(nowMs))) return due;
    for (const instance of this.#takePlanned(nowMs + maxSlackMs, maxEarly)) {
      if (this.#mayBeAsked(instance, nowMs)) due.push(instance);
      else this.#plan(instance);
    }
    return due;
  }

  #takePlanned(untilMs: number, most: number): Instance[] {
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

  /** Does an instance's due work; returns its questions, and adds it to `asked` if there are any. */
  #step(instance: Instance, nowMs: number, series: QuestionSeries, asked: Instance[]): Ask[] {
    const step = instance.nextStep(this.#ttlMs, nowMs);
    if ((step.kind === "ask" ? step.earliestMs : step.atMs) > nowMs) {
      // The instance itself is not due: an address of its host ended, or a wait for one did.
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

  /** Asks within a budget, except instances that answered before and a first question for a sign of life. */
  #mayAsk(instance: Instance, questions: number, nowMs: number): boolean {
    const isForLife = instance.doubted || instance.isRefreshed(nowMs);
    if (instance.hasAnswered || (isForLife && instance.askedInVain === 0)) return true;
    return this.#budget.admits(instance, questions, nowMs);
  }

  #forget(instance: Instance): void {
    this.#drop(instance);
    this.#cache.delete(instance);
  }

  /** An instance outside the cache is no longer asked for; the registry expires it. */
  #drop(instance: Instance): void {
    this.#budget.forget(instance);
    this.#reports.delete(instance);
    this.#deadlines.delete(nameKey(instance.name));
  }
}
