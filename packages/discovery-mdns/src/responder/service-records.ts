import type { InterfaceAddress } from "@lmserv/discovery-network";
import { type Name, nameKey } from "../dns/name.ts";
import { type Question, type ResourceRecord, recordKey, recordTypes, typeCode } from "../dns/record.ts";
import type { LinkInterface } from "../link/interfaces.ts";
import { enumerationName, hostTtlS, otherTtlS, type Service, serviceType, subtypeName } from "../service.ts";

/** Record that this host answers for on one link. */
export interface ServiceRecord {
  readonly record: ResourceRecord;
  /** The record's `recordKey`. */
  readonly key: string;
  /** True if other hosts own records of this name and type too (RFC 6762 section 2). */
  readonly shared: boolean;
  /** Records that the asker needs next (RFC 6763 section 12). */
  readonly additionals: readonly ResourceRecord[];
}

/**
 * All records of a service on an interface, with the link's addresses at which it answers (section 6.2).
 *
 * Empty if the service answers at no address of the link.
 */
export function serviceRecords(service: Service, on: LinkInterface): ServiceRecord[] {
  const reachable = reachableOn(on, service.addresses);
  if (reachable.length === 0) return [];
  const { instance, host, port, txt } = service;
  const enumeration = shared({ name: enumerationName, ttlS: otherTtlS, type: "PTR", target: serviceType });
  const pointers = [serviceType, ...service.subtypes.map(subtypeName)].map((name) =>
    shared({ name, ttlS: otherTtlS, type: "PTR", target: instance }),
  );
  const location = unique({
    name: instance,
    ttlS: hostTtlS,
    type: "SRV",
    priority: 0,
    weight: 0,
    port,
    target: host,
  });
  const text = unique({ name: instance, ttlS: otherTtlS, type: "TXT", strings: txt });
  const hosts = reachable.map(({ address, family }) =>
    unique({ name: host, ttlS: hostTtlS, type: family === "IPv4" ? "A" : "AAAA", address }),
  );
  const noMoreOfInstance = denial(instance, [recordTypes.TXT, recordTypes.SRV]);
  const noMoreOfHost = denial(host, [...new Set(hosts.map(typeCode))]);
  const whereabouts = [...hosts, noMoreOfHost];
  return [
    ...pointers.map((pointer) => own(pointer, [location, text, ...whereabouts])),
    own(enumeration),
    own(location, whereabouts),
    own(text),
    ...hosts.map((record) => own(record, whereabouts)),
    own(noMoreOfInstance),
    own(noMoreOfHost),
  ];
}

/**
 * True if a record that the service lacks must be false.
 *
 * Host names and generated instance names have 80 random bits. Other hosts may have records of a chosen name,
 * too (RFC 6762 section 9).
 */
export function isLieAbout({ instance, host, chosen }: Service, { name, type }: ResourceRecord): boolean {
  const key = nameKey(name);
  if (key === nameKey(host)) return type === "A" || type === "AAAA" || type === "NSEC";
  if (chosen || key !== nameKey(instance)) return false;
  return type === "SRV" || type === "TXT" || type === "NSEC";
}

/** Addresses of an interface's link at which a server answers; null stands for all of them. */
function reachableOn(on: LinkInterface, answering: readonly string[] | null): readonly InterfaceAddress[] {
  const own = [...on.addresses, ...on.siblings];
  if (!answering) return own;
  const here = new Set(answering.map((address) => withoutZone(address, on)));
  return own.filter(({ address }) => here.has(address));
}

/** A zone of another interface stays: the same link-local address may exist here. */
function withoutZone(address: string, { name, siblings }: LinkInterface): string {
  const [bare = "", zone = name] = address.split("%");
  return zone === name || siblings.some((sibling) => sibling.address === bare) ? bare : address;
}

/** Records that must be unique before they are announced (RFC 6762 section 8.1). */
export function claimedRecords({ instance, host, port, txt }: Service): ResourceRecord[] {
  const claimed = { name: instance, flush: false };
  return [
    { ...claimed, ttlS: hostTtlS, type: "SRV", priority: 0, weight: 0, port, target: host },
    { ...claimed, ttlS: otherTtlS, type: "TXT", strings: txt },
  ];
}

/** Records that answer a question: those asked for, or the assertion that there are none (section 6.1). */
export function answersTo(question: Question, owned: readonly ServiceRecord[]): ServiceRecord[] {
  const key = nameKey(question.name);
  const named = owned.filter(({ record }) => nameKey(record.name) === key);
  const matching = named.filter(
    ({ record }) =>
      typeCode(record) === question.type || (question.type === recordTypes.ANY && record.type !== "NSEC"),
  );
  return matching.length > 0 ? matching : named.filter(({ record }) => record.type === "NSEC");
}

/** Records of a service's announcement and goodbye (RFC 6762 sections 8.3, 10.1). */
export function announcedRecords(owned: readonly ServiceRecord[]): ResourceRecord[] {
  return owned.flatMap(({ record }) =>
    record.type === "NSEC" || record.name === enumerationName ? [] : [record],
  );
}

/**
 * Records to announce when a service changes (RFC 6762 sections 8.4, 10.1, 10.2).
 *
 * A changed unique set is sent as a whole, which flushes the rest. Other ended records get goodbyes.
 */
export function changesOf(
  former: readonly ServiceRecord[],
  owned: readonly ServiceRecord[],
): ResourceRecord[] {
  const before = new Set(former.map(({ key }) => key));
  const after = new Set(owned.map(({ key }) => key));
  const lost = former.filter(({ key }) => !after.has(key));
  const gained = owned.filter(({ key }) => !before.has(key));
  const changed = new Set([...lost, ...gained].map(setKey));
  const said = owned.filter(({ key, shared, record }) =>
    shared ? !before.has(key) : changed.has(setKey({ record })),
  );
  const flushed = new Set(said.filter(({ shared }) => !shared).map(setKey));
  const ended = lost.filter((own) => !flushed.has(setKey(own)));
  return [...announcedRecords(ended).map(goodbyeOf), ...announcedRecords(said)];
}

/** Key that the records of one set share (RFC 2181 section 5). */
function setKey({ record }: Pick<ServiceRecord, "record">): string {
  return `${nameKey(record.name)} ${typeCode(record)}`;
}

export function goodbyeOf(record: ResourceRecord): ResourceRecord {
  return { ...record, ttlS: 0 };
}

/** Answers that the asker does not know for at least half their lives (RFC 6762 section 7.1). */
export function unknown(
  answers: readonly ServiceRecord[],
  known: readonly ResourceRecord[],
): ServiceRecord[] {
  const knownTtlS = new Map(known.map((record) => [recordKey(record), record.ttlS]));
  return answers.filter(({ key, record }) => (knownTtlS.get(key) ?? 0) < record.ttlS / 2);
}

/** Each record once; answers do not repeat among the additional records. */
export function sectionsOf(owned: readonly ServiceRecord[]): {
  readonly answers: ResourceRecord[];
  readonly additionals: ResourceRecord[];
} {
  const answers = new Map(owned.map(({ key, record }) => [key, record]));
  const wantedNext = owned.flatMap(({ additionals }) => additionals);
  const additionals = new Map(wantedNext.map((record) => [recordKey(record), record]));
  for (const key of answers.keys()) additionals.delete(key);
  return { answers: [...answers.values()], additionals: [...additionals.values()] };
}

type Unflagged<T> = T extends unknown ? Omit<T, "flush"> : never;

function shared(record: Unflagged<ResourceRecord>): ResourceRecord {
  return { ...record, flush: false };
}

function unique(record: Unflagged<ResourceRecord>): ResourceRecord {
  return { ...record, flush: true };
}

function denial(name: Name, types: readonly number[]): ResourceRecord {
  return unique({ name, ttlS: hostTtlS, type: "NSEC", next: name, types });
}

function own(record: ResourceRecord, additionals: readonly ResourceRecord[] = []): ServiceRecord {
  return { record, key: recordKey(record), shared: !record.flush, additionals };
}
