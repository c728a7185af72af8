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

/**
 * RFC 6762 section 8.3 asks for at least two, doubling; a browser that stopped asking needs the later ones.
 */
const announceWaitsMs = [0, 1_010, 2_010, 4_010];
/** A single goodbye may get lost; three within 250 ms rarely do, and hardly delay the end of the process. */
const goodbyeWaitsMs = [0, 125, 125];
/** Longest lifetime in an answer to a legacy querier, in s (RFC 6762 section 6.7). */
const legacyTtlS = 10;

interface Registration {
  readonly records: readonly ServiceRecord[];
  readonly defence: Defence;
  /** Ends the remaining announcements. */
  announcing: AbortController;
}

interface Wanted {
  readonly answer: ServiceRecord;
  readonly question: Question;
}

/** Sends the records of this process's services on one link. */
export class Responder {
  readonly #link: Link;
  readonly #clock: Clock;
  readonly #said: Said;
  readonly #services = new Map<Service, Registration>();
  /** By instance key: ends the remaining goodbyes. */
  readonly #leaving = new Map<string, AbortController>();
  /** An answer uses the family of its question, which the asker surely hears. */
  readonly #queues: ReadonlyMap<Family, ResponseQueue>;
  readonly #quota: DirectQuota;
  readonly #truncated: TruncatedQueries;
  #closed = false;

  /** @param said - Records that this process sent on all of its links. */
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

  /** True if it announces the service here, which it does not where the server is unreachable. */
  speaksFor(service: Service): boolean {
    return this.#services.has(service);
  }

  /** Announces the service now and three times more, unless it is unreachable over this link. */
  add(service: Service): void {
    const records = serviceRecords(service, this.#link.interface);
    if (records.length > 0) this.#announce(this.#register(service, records));
  }

  /** Announces changed records at once, and all records again later (RFC 6762 section 8.4). */
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

  /** Announces the service anew after a suspension. */
  renew(service: Service): void {
    const registration = this.#services.get(service);
    if (registration) this.#announce(registration);
  }

  /** Says goodbye and resolves after the repetitions. */
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

  /** Stops answering for the service, without a goodbye. */
  drop(service: Service): void {
    this.#withdraw(service, this.#services.get(service)?.records ?? []);
  }

  /** Sends a probe; asks for direct answers if they can arrive (RFC 6762 section 8.1). */
  async probe(message: Message): Promise<void> {
    const unicast = await this.#link.invite();
    const questions = message.questions.map((question) => ({ ...question, unicast }));
    for (const packet of encode({ ...message, questions }, { maxBytes: maxPacketBytes })) {
      for (const family of this.#link.families) this.#link.multicast(packet, family);
    }
  }

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
    // A record that other hosts have not heard for long is multicast (RFC 6762 section 5.4).
    const open = news.filter(
      ({ answer, question }) => !isAnswered || !question.unicast || !isFresh(answer, queue),
    );
    const answers = open.map(({ answer }) => answer);
    if (answers.length === 0) return;
    // An answer to a probe must arrive before the probing ends (RFC 6762 section 6).
    if (message.authorities.length > 0) queue.add(answers, defenceRestMs);
    else if (message.questions.length === 1 && answers.every(({ shared }) => !shared)) queue.add(answers);
    else queue.addPolitely(answers);
  }

  /** A response may claim our names, whatever its source address. */
  #hear({ answers, additionals }: Message, from: SocketAddress): void {
    if (this.#services.size === 0) return;
    // Our own packets may come back late, and suppress nothing.
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

  /** A record that another host sent need not be sent again (RFC 6762 section 7.4). */
  #spare(answers: readonly ResourceRecord[], from: SocketAddress): void {
    const queue = this.#queues.get(familyOf(from.address));
    for (const record of answers) {
      const key = recordKey(record);
      const own = this.#ownedBy(key);
      if (own && record.ttlS >= own.record.ttlS) queue?.withhold(key);
    }
  }

  /**
   * Contradicts records that shorten the life of a service's records (RFC 6762 section 6.6), and false ones.
   */
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

  /** Removes the service, and these records from the queues. */
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

  /** Acts after each wait; resolves after the last, or when the signal aborts. */
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

  /** Answers QU questions by unicast. */
  #answerDirectly(wanted: readonly Wanted[], from: SocketAddress): boolean {
    const direct = wanted.filter(({ question }) => question.unicast).map(({ answer }) => answer);
    return direct.length > 0 && this.#reply(from, response(sectionsOf(direct)));
  }

  /** Sends by unicast, if the asker is on the link and within its quota. */
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
    // Their rest starts when they were sent; additional records without room were not.
    const sent = [...answers, ...additionals.slice(0, countAdditionals(packets))];
    this.#said.add(sent);
    const queue = this.#queues.get(family);
    for (const record of sent) queue?.sent(recordKey(record));
  }

  /**
   * Answers a legacy querier: its question repeated, no cache-flush bit, short lifetimes (RFC 6762 section
   * 6.7).
   */
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

/** True if the record was multicast less than a quarter of its lifetime ago (RFC 6762 section 5.4). */
function isFresh({ key, record }: ServiceRecord, queue: ResponseQueue): boolean {
  return queue.sentWithin(key, (record.ttlS * 1_000) / 4);
}

function plain(record: ResourceRecord): ResourceRecord {
  return { ...record, flush: false, ttlS: Math.min(record.ttlS, legacyTtlS) };
}
