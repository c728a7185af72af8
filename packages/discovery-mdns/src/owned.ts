import { enumerationName, hostTtlS, otherTtlS, type Service, serviceType } from "./service.ts";
import { type Name, nameKey } from "./wire/name.ts";
import { type Question, type ResourceRecord, recordTypes, typeCode } from "./wire/record.ts";

/** A record that this host answers for on one link. */
export interface OwnedRecord {
  readonly record: ResourceRecord;
  /** Whether other hosts own records of this name and type too (RFC 6762 section 2). */
  readonly shared: boolean;
  /** What the asker will want next (RFC 6763 section 12). */
  readonly additionals: readonly ResourceRecord[];
}

/** Every record of a service on a link where the host has these IPv4 addresses (RFC 6762 section 6.2). */
export function ownedRecords(service: Service, addresses: readonly string[]): OwnedRecord[] {
  const { instance, host, port, txt } = service;
  const pointer = shared({ name: serviceType, ttlS: otherTtlS, type: "PTR", target: instance });
  const enumeration = shared({ name: enumerationName, ttlS: otherTtlS, type: "PTR", target: serviceType });
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
  const hosts = addresses.map((address) => unique({ name: host, ttlS: hostTtlS, type: "A", address }));
  const noMoreOfInstance = denial(instance, [recordTypes.TXT, recordTypes.SRV]);
  const noMoreOfHost = denial(host, [recordTypes.A]);
  return [
    own(pointer, [location, text, ...hosts, noMoreOfHost]),
    own(enumeration),
    own(location, [...hosts, noMoreOfHost]),
    own(text),
    ...hosts.map((record) => own(record, [noMoreOfHost])),
    own(noMoreOfInstance),
    own(noMoreOfHost),
  ];
}

/** The records that answer a question: those asked for, or the word that there are none (section 6.1). */
export function answersTo(question: Question, owned: readonly OwnedRecord[]): OwnedRecord[] {
  const key = nameKey(question.name);
  const named = owned.filter(({ record }) => nameKey(record.name) === key);
  const matching = named.filter(
    ({ record }) =>
      typeCode(record) === question.type || (question.type === recordTypes.ANY && record.type !== "NSEC"),
  );
  return matching.length > 0 ? matching : named.filter(({ record }) => record.type === "NSEC");
}

/** The records that a service is announced with, and taken back with (RFC 6762 sections 8.3, 10.1). */
export function announcedRecords(owned: readonly OwnedRecord[]): ResourceRecord[] {
  return owned.flatMap(({ record }) =>
    record.type === "NSEC" || record.name === enumerationName ? [] : [record],
  );
}

/** What is equal for records with the same name, type and data, whatever their lifetimes. */
export function recordKey(record: ResourceRecord): string {
  const { name, ttlS, flush, ...data } = record;
  const comparable = "target" in data ? { ...data, target: nameKey(data.target) } : data;
  return `${nameKey(name)} ${JSON.stringify(comparable, (_, value) => (value instanceof Uint8Array ? Buffer.from(value).toString("latin1") : value))}`;
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

function own(record: ResourceRecord, additionals: readonly ResourceRecord[] = []): OwnedRecord {
  return { record, shared: !record.flush, additionals };
}
