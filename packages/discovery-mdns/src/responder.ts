import type { Clock } from "@lmserv/discovery-core";
import { type Endpoint, type Link, mdnsPort } from "./link.ts";
import { announcedRecords, answersTo, type OwnedRecord, ownedRecords, recordKey } from "./owned.ts";
import type { Service } from "./service.ts";
import { encode, maxPacketBytes } from "./wire/encode.ts";
import { type Message, type Question, type ResourceRecord, response } from "./wire/record.ts";

/** RFC 6762 section 8.3 asks for two at least, doubling; a browser that gave up asking needs the later ones. */
const announceAtMs = [0, 1_000, 3_000, 7_000];
/** One goodbye may get lost; three in a quarter of a second rarely do, and do not keep the process waiting. */
const goodbyeAtMs = [0, 125, 250];
/** The wait before records that others may answer too (RFC 6762 section 6). */
const sharedDelayMs = { from: 20, to: 120 };
/** How long a record rests after it was multicast (RFC 6762 section 6). */
const restMs = 1_000;
/** The longest lifetime that a querier without a cache is told, in s (RFC 6762 section 6.7). */
const legacyTtlS = 10;

interface Standing {
  readonly owned: readonly OwnedRecord[];
  readonly cancels: Set<() => void>;
}

/** A record on its way out. */
interface Pending {
  readonly owned: OwnedRecord;
  readonly dueMs: number;
}

/** Speaks on one link for the services of this process. */
export class Responder {
  readonly #link: Link;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #services = new Map<Service, Standing>();
  /** When each record was multicast last; holds our own records only. */
  readonly #multicastMs = new Map<string, number>();
  readonly #pending = new Map<string, Pending>();
  #cancelFlush: () => void = () => {};
  #closed = false;

  constructor(link: Link, clock: Clock, random: () => number) {
    this.#link = link;
    this.#clock = clock;
    this.#random = random;
  }

  /** Announces the service now and three times more. */
  add(service: Service): void {
    const addresses = this.#link.interface.addresses.map(({ address }) => address);
    const standing: Standing = { owned: ownedRecords(service, addresses), cancels: new Set() };
    this.#services.set(service, standing);
    const records = announcedRecords(standing.owned);
    this.#repeat(standing, announceAtMs, () => this.#multicast(records));
  }

  /** Says goodbye and resolves when that was repeated often enough. */
  async remove(service: Service): Promise<void> {
    const standing = this.#services.get(service);
    if (!standing) return;
    this.#services.delete(service);
    this.#silence(standing);
    const records = announcedRecords(standing.owned).map((record) => ({ ...record, ttlS: 0 }));
    await new Promise<void>((resolve) => {
      let left = goodbyeAtMs.length;
      this.#repeat(standing, goodbyeAtMs, () => {
        this.#multicast(records);
        left -= 1;
        if (left === 0) resolve();
      });
    });
    for (const record of records) this.#multicastMs.delete(recordKey(record));
  }

  /** Takes a query that came in on the link. */
  answer(message: Message, from: Endpoint): void {
    const owned = [...this.#services.values()].flatMap((standing) => standing.owned);
    const known = new Map(message.answers.map((record) => [recordKey(record), record.ttlS]));
    const wanted = message.questions.flatMap((question) =>
      answersTo(question, owned)
        .filter(({ record }) => (known.get(recordKey(record)) ?? 0) < record.ttlS / 2)
        .map((answer) => ({ answer, question })),
    );
    if (wanted.length === 0) return;
    if (from.port !== mdnsPort) return this.#answerLegacy(message, wanted, from);
    const [direct, open] = split(
      wanted,
      (want) => want.question.unicast && this.#isFresh(want.answer.record),
    );
    if (direct.length > 0)
      this.#send(
        direct.map(({ answer }) => answer),
        from,
      );
    this.#schedule(open.map(({ answer }) => answer));
  }

  close(): void {
    this.#closed = true;
    this.#cancelFlush();
    for (const standing of this.#services.values()) this.#silence(standing);
    this.#services.clear();
  }

  #repeat({ cancels }: Standing, atMs: readonly number[], act: () => void): void {
    for (const delayMs of atMs) {
      if (delayMs === 0) act();
      else {
        const cancel = this.#clock.schedule(delayMs, () => {
          cancels.delete(cancel);
          act();
        });
        cancels.add(cancel);
      }
    }
  }

  /** Takes back what was still to be sent. */
  #silence({ owned, cancels }: Standing): void {
    for (const cancel of cancels) cancel();
    cancels.clear();
    for (const { record } of owned) this.#pending.delete(recordKey(record));
  }

  /** Whether the others have the record from less than a quarter of its lifetime ago (RFC 6762 section 5.4). */
  #isFresh(record: ResourceRecord): boolean {
    const sentMs = this.#multicastMs.get(recordKey(record));
    return sentMs !== undefined && this.#clock.now() - sentMs < (record.ttlS * 1_000) / 4;
  }

  #schedule(answers: readonly OwnedRecord[]): void {
    const nowMs = this.#clock.now();
    const delayMs = answers.some(({ shared }) => shared) ? this.#sharedDelayMs() : 0;
    for (const owned of answers) {
      const key = recordKey(owned.record);
      const restedMs = (this.#multicastMs.get(key) ?? Number.NEGATIVE_INFINITY) + restMs;
      const dueMs = Math.max(nowMs + delayMs, restedMs);
      const before = this.#pending.get(key);
      if (!before || dueMs < before.dueMs) this.#pending.set(key, { owned, dueMs });
    }
    this.#flush();
  }

  #sharedDelayMs(): number {
    return sharedDelayMs.from + this.#random() * (sharedDelayMs.to - sharedDelayMs.from);
  }

  /** Sends in one response whatever is due and sets the timer for the rest. */
  #flush(): void {
    this.#cancelFlush();
    const nowMs = this.#clock.now();
    const due = [...this.#pending].filter(([, { dueMs }]) => dueMs <= nowMs);
    for (const [key] of due) this.#pending.delete(key);
    if (due.length > 0) this.#send(due.map(([, { owned }]) => owned));
    const nextMs = Math.min(...[...this.#pending.values()].map(({ dueMs }) => dueMs));
    if (nextMs < Number.POSITIVE_INFINITY) {
      this.#cancelFlush = this.#clock.schedule(nextMs - nowMs, () => this.#flush());
    }
  }

  #send(owned: readonly OwnedRecord[], to?: Endpoint): void {
    const answers = unrepeated(owned.map(({ record }) => record));
    const answered = new Set(answers.map(recordKey));
    const wantedNext = unrepeated(owned.flatMap(({ additionals }) => additionals));
    const additionals = wantedNext.filter((record) => !answered.has(recordKey(record)));
    this.#multicast(answers, additionals, to);
  }

  #multicast(
    answers: readonly ResourceRecord[],
    additionals: readonly ResourceRecord[] = [],
    to?: Endpoint,
  ): void {
    if (this.#closed) return;
    if (!to) for (const record of answers) this.#multicastMs.set(recordKey(record), this.#clock.now());
    for (const packet of encode(response({ answers, additionals }), { maxBytes: maxPacketBytes })) {
      this.#link.send(packet, to);
    }
  }

  /** An ordinary resolver's answer: the question again, no cache-flush bit, short lives (RFC 6762 section 6.7). */
  #answerLegacy(
    { id, questions }: Message,
    wanted: readonly { readonly answer: OwnedRecord; readonly question: Question }[],
    to: Endpoint,
  ): void {
    const plain = (record: ResourceRecord): ResourceRecord => ({
      ...record,
      flush: false,
      ttlS: Math.min(record.ttlS, legacyTtlS),
    });
    const answers = unrepeated(wanted.map(({ answer }) => answer.record));
    const additionals = unrepeated(wanted.flatMap(({ answer }) => answer.additionals));
    const message = response({
      id,
      questions: questions.map((question) => ({ ...question, unicast: false })),
      answers: answers.map(plain),
      additionals: additionals.filter((record) => !answers.includes(record)).map(plain),
    });
    const options = { maxBytes: maxPacketBytes, compressServiceTargets: false };
    for (const packet of encode(message, options)) this.#link.send(packet, to);
  }
}

function unrepeated(records: readonly ResourceRecord[]): ResourceRecord[] {
  return [...new Map(records.map((record) => [recordKey(record), record])).values()];
}

function split<T>(items: readonly T[], belongs: (item: T) => boolean): [T[], T[]] {
  const left: T[] = [];
  const right: T[] = [];
  for (const item of items) (belongs(item) ? left : right).push(item);
  return [left, right];
}
