import { type Clock, sleep, withoutZone } from "@lmserv/discovery-core/transport";
import { isOnLink } from "@lmserv/discovery-network";
import { countAdditionals, encode, maxPacketBytes } from "../dns/encode.ts";
import { nameKey } from "../dns/name.ts";
import { type Message, type Question, type ResourceRecord, recordKey, response } from "../dns/record.ts";
import { type Family, familyOf, isOwn, type LinkInterface } from "../link/interfaces.ts";
import { type Link, mdnsPort, type SocketAddress } from "../link/link.ts";
import { enumerationName, type Service } from "../service.ts";
import { Defence } from "./defence.ts";
import { DirectQuota } from "./quota.ts";
import { defenceRestMs, ResponseQueue } from "./response-queue.ts";
import type { Said } from "./said.ts";
import {
  announcedRecords,
  answersTo,
  changesOf,
  goodbyeOf,
  isLieAbout,
  type ServiceRecord,
  sectionsOf,
  serviceRecords,
  unknown,
} from "./service-records.ts";
import { TruncatedQueries } from "./truncated-queries.ts";

/** RFC 6762 section 8.3 asks for two at least, doubling; a browser that gave up asking needs the later ones. */
const announceWaitsMs = [0, 1_010, 2_010, 4_010];
/** One goodbye may get lost; three in a quarter of a second rarely do, and do not keep the process waiting. */
const goodbyeWaitsMs = [0, 125, 125];
/** The longest lifetime that a querier without a cache is told, in s (RFC 6762 section 6.7). */
const legacyTtlS = 10;

interface Registration {
  readonly records: readonly ServiceRecord[];
  readonly defence: Defence;
  /** Ends the announcements that are still to be repeated. */
  announcing: AbortController;
}

interface Wanted {
  readonly answer: ServiceRecord;
  readonly question: Question;
}

/** Speaks on one link for the services of this process. */
export class Responder {
  readonly #link: Link;
  readonly #clock: Clock;
  readonly #said: Said;
  readonly #services = new Map<Service, Registration>();
  /** By the keys of their instances, what ends the goodbyes that are still to be repeated. */
  readonly #leaving = new Map<string, AbortController>();
  /** What is asked over one family is answered over it: whoever hears the question hears the answer. */
  readonly #queues: ReadonlyMap<Family, ResponseQueue>;
  readonly #quota: DirectQuota;
  readonly #truncated: TruncatedQueries;
  #closed = false;

  /** @param said - What this process says on all of its links. */
  constructor(link: Link, clock: Clock, random: () => number, said: Said) {
    this.#link = link;
    this.#said = said;
    this.#clock = clock;
    this.#queues = new Map(
      link.families.map((family) => [
        family,
        new ResponseQueue(clock, random, (answers) => this.#answerOver(family, answers)),
      ]),
    );
    this.#quota = new DirectQuota(clock);
    this.#truncated = new TruncatedQueries(clock, random, (querier, answers, known) => {
      this.#queues.get(familyOf(querier))?.add(unknown(answers, known));
    });
  }

  get interface(): LinkInterface {
    return this.#link.interface;
  }

  /** Whether it speaks for the service: not where the server does not answer. */
  speaksFor(service: Service): boolean {
    return this.#services.has(service);
  }

  /** Announces the service now and three times more, unless it cannot be reached by this link. */
  add(service: Service): void {
    const records = serviceRecords(service, this.#link.interface);
    if (records.length > 0) this.#announce(this.#register(service, records));
  }

  /** Says at once what changed of a service, and everything again later (RFC 6762 section 8.4). */
  replace(before: Service, after: Service): void {
    const former = this.#services.get(before)?.records ?? [];
    const records = serviceRecords(after, this.#link.interface);
    if (records.length === 0) {
      if (former.length > 0) void this.remove(before);
      return;
    }
    const kept = new Set(records.map(({ key }) => key));
    this.#withdraw(
      before,
      former.filter(({ key }) => !kept.has(key)),
    );
    const registration = this.#register(after, records);
    this.#multicast(changesOf(former, records));
    this.#announce(registration, announceWaitsMs.slice(1));
  }

  /** Announces the service anew: the machine woke. */
  renew(service: Service): void {
    const registration = this.#services.get(service);
    if (registration) this.#announce(registration);
  }

  /** Says goodbye and resolves when that was repeated often enough. */
  async remove(service: Service): Promise<void> {
    this.drop(service);
    const records = announcedRecords(serviceRecords(service, this.#link.interface)).map(goodbyeOf);
    if (records.length === 0) return;
    const key = nameKey(service.instance);
    const ending = new AbortController();
    this.#leaving.set(key, ending);
    await this.#repeat(goodbyeWaitsMs, ending.signal, () => this.#multicast(records));
    if (ending.signal.aborted) return;
    this.#leaving.delete(key);
    for (const record of records) this.#forget(recordKey(record));
  }

  /** Stops speaking for the service without a word. */
  drop(service: Service): void {
    this.#withdraw(service, this.#services.get(service)?.records ?? []);
  }

  /** Sends a probe; asks for direct answers, where they can arrive (RFC 6762 section 8.1). */
  async probe(message: Message): Promise<void> {
    const unicast = await this.#link.invite();
    const questions = message.questions.map((question) => ({ ...question, unicast }));
    for (const packet of encode({ ...message, questions }, { maxBytes: maxPacketBytes })) {
      for (const family of this.#link.families) this.#link.multicast(packet, family);
    }
  }

  /** Takes what came in on the link. */
  take(message: Message, from: SocketAddress): void {
    if (message.response) this.#hear(message, from);
    else this.#answer(message, from);
  }

  #answer(message: Message, from: SocketAddress): void {
    const queue = this.#queues.get(familyOf(from.address));
    if (!queue) return;
    const wanted = this.#wantedBy(message);
    if (from.port !== mdnsPort) return this.#answerLegacy(message, wanted, from);
    const continues = message.questions.length === 0 && this.#truncated.has(from.address);
    if (message.truncated || continues) {
      const answers = wanted.map(({ answer }) => answer);
      if (this.#truncated.take(from.address, answers, message.answers, !message.truncated)) return;
    }
    const news = wanted.filter(({ answer }) => unknown([answer], message.answers).length > 0);
    const isAnswered = this.#answerDirectly(news, from);
    // What the others have not heard for long goes to all of them (RFC 6762 section 5.4).
    const open = news.filter(
      ({ answer, question }) => !isAnswered || !question.unicast || !isFresh(answer, queue),
    );
    const answers = open.map(({ answer }) => answer);
    if (answers.length === 0) return;
    // A probe must hear of the owner before it is over (RFC 6762 section 6).
    if (message.authorities.length > 0) queue.add(answers, defenceRestMs);
    else if (message.questions.length === 1 && answers.every(({ shared }) => !shared)) queue.add(answers);
    else queue.addPolitely(answers);
  }

  /** A response may speak in our name, whichever source it claims. */
  #hear({ answers, additionals }: Message, from: SocketAddress): void {
    if (this.#services.size === 0) return;
    // What comes back of our own says nothing of others, and may come late.
    if (!isOwn(from.address, this.#link.interface)) this.#spare(answers, from);
    for (const record of [...answers, ...additionals]) this.#checkAgainst(record);
  }

  close(): void {
    this.#closed = true;
    for (const queue of this.#queues.values()) queue.close();
    this.#truncated.close();
    for (const ending of this.#leaving.values()) ending.abort();
    for (const registration of this.#services.values()) this.#cancel(registration);
    this.#services.clear();
  }

  #register(service: Service, records: readonly ServiceRecord[]): Registration {
    this.#leaving.get(nameKey(service.instance))?.abort();
    const defence = this.#defenceOf(records);
    const registration: Registration = { records, defence, announcing: new AbortController() };
    this.#services.set(service, registration);
    return registration;
  }

  #defenceOf(owned: readonly ServiceRecord[]): Defence {
    const truth = announcedRecords(owned);
    return new Defence({
      clock: this.#clock,
      say: (lies) => this.#multicast([...lies, ...truth]),
      restedMs: () => {
        const queues = [...this.#queues.values()];
        return Math.max(
          ...queues.flatMap((queue) => owned.map(({ key }) => queue.restedMs(key, defenceRestMs))),
        );
      },
    });
  }

  /** What others say need not be said again (RFC 6762 section 7.4). */
  #spare(answers: readonly ResourceRecord[], from: SocketAddress): void {
    const queue = this.#queues.get(familyOf(from.address));
    for (const record of answers) {
      const key = recordKey(record);
      const own = this.#ownedBy(key);
      if (own && record.ttlS >= own.record.ttlS) queue?.withhold(key);
    }
  }

  /** Contradicts what lets a service's records die early (RFC 6762 section 6.6), and what is not true of it. */
  #checkAgainst(record: ResourceRecord): void {
    const key = recordKey(record);
    for (const [service, { records, defence }] of this.#services) {
      const own = records.find((candidate) => candidate.key === key);
      if (own) {
        if (record.ttlS < own.record.ttlS / 2 && record.name !== enumerationName) defence.contradict(null);
      } else if (record.ttlS > 0 && isLieAbout(service, record) && !this.#said.has(record)) {
        defence.contradict(record);
      }
    }
  }

  /** Takes the service out, and these of its records out of what waits. */
  #withdraw(service: Service, owned: readonly ServiceRecord[]): void {
    const registration = this.#services.get(service);
    this.#services.delete(service);
    if (registration) this.#cancel(registration);
    for (const { key } of owned) this.#forget(key);
  }

  #forget(key: string): void {
    for (const queue of this.#queues.values()) queue.forget(key);
  }

  #announce(registration: Registration, waitsMs: readonly number[] = announceWaitsMs): void {
    this.#cancel(registration);
    registration.announcing = new AbortController();
    const records = announcedRecords(registration.records);
    void this.#repeat(waitsMs, registration.announcing.signal, () => this.#multicast(records));
  }

  /** Acts after each of the waits until the signal aborts; resolves then, or after the last. */
  async #repeat(waitsMs: readonly number[], signal: AbortSignal, act: () => void): Promise<void> {
    for (const waitMs of waitsMs) {
      if (waitMs > 0) await sleep(this.#clock, waitMs, signal).catch(() => {});
      if (signal.aborted) return;
      act();
    }
  }

  #cancel({ announcing, defence }: Registration): void {
    defence.cancel();
    announcing.abort();
  }

  /** Answers QU questions to the asker alone. */
  #answerDirectly(wanted: readonly Wanted[], from: SocketAddress): boolean {
    const direct = wanted.filter(({ question }) => question.unicast).map(({ answer }) => answer);
    return direct.length > 0 && this.#reply(from, response(sectionsOf(direct)));
  }

  /** Sends to one asker, if it is on the link and asks no more than is decent. */
  #reply(to: SocketAddress, message: Message, compressServiceTargets = true): boolean {
    if (!this.#isNear(to) || !this.#quota.admits(to.address)) return false;
    for (const packet of encode(message, { maxBytes: maxPacketBytes, compressServiceTargets })) {
      this.#link.send(packet, to);
    }
    return true;
  }

  /** RFC 6762 section 11. */
  #isNear({ address }: SocketAddress): boolean {
    return isOnLink(withoutZone(address), this.#link.interface);
  }

  #wantedBy({ questions }: Message): Wanted[] {
    const owned = [...this.#services.values()].flatMap((registration) => registration.records);
    return questions.flatMap((question) =>
      answersTo(question, owned).map((answer) => ({ answer, question })),
    );
  }

  #ownedBy(key: string): ServiceRecord | undefined {
    for (const { records } of this.#services.values()) {
      const own = records.find((candidate) => candidate.key === key);
      if (own) return own;
    }
    return undefined;
  }

  #answerOver(family: Family, owned: readonly ServiceRecord[]): void {
    const { answers, additionals } = sectionsOf(owned);
    const queue = this.#queues.get(family);
    const rested = additionals.filter((record) => !queue?.isResting(recordKey(record)));
    this.#multicastOver(family, answers, rested);
  }

  #multicast(answers: readonly ResourceRecord[]): void {
    for (const family of this.#queues.keys()) this.#multicastOver(family, answers, []);
  }

  #multicastOver(
    family: Family,
    answers: readonly ResourceRecord[],
    additionals: readonly ResourceRecord[],
  ): void {
    if (this.#closed || answers.length === 0) return;
    const packets = encode(response({ answers, additionals }), { maxBytes: maxPacketBytes });
    for (const packet of packets) this.#link.multicast(packet, family);
    // Their rest counts from when they left; additional records that found no room did not.
    const sent = [...answers, ...additionals.slice(0, countAdditionals(packets))];
    this.#said.add(sent);
    const queue = this.#queues.get(family);
    for (const record of sent) queue?.sent(recordKey(record));
  }

  /** An ordinary resolver's answer: the question again, no cache-flush bit, short lives (RFC 6762 section 6.7). */
  #answerLegacy({ id, questions }: Message, wanted: readonly Wanted[], to: SocketAddress): void {
    if (wanted.length === 0) return;
    const { answers, additionals } = sectionsOf(wanted.map(({ answer }) => answer));
    const message = response({
      id,
      questions: questions.map((question) => ({ ...question, unicast: false })),
      answers: answers.map(plain),
      additionals: additionals.map(plain),
    });
    this.#reply(to, message, false);
  }
}

/** Whether the others have the record from less than a quarter of its lifetime ago (RFC 6762 section 5.4). */
function isFresh({ key, record }: ServiceRecord, queue: ResponseQueue): boolean {
  return queue.sentWithin(key, (record.ttlS * 1_000) / 4);
}

function plain(record: ResourceRecord): ResourceRecord {
  return { ...record, flush: false, ttlS: Math.min(record.ttlS, legacyTtlS) };
}
