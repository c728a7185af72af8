import { type Name, nameKey } from "./name.ts";

/** Numbers of the types and of the wildcard question (RFC 1035, 2782, 3596, 4034). */
export const recordTypes = { A: 1, PTR: 12, TXT: 16, AAAA: 28, SRV: 33, NSEC: 47, ANY: 255 } as const;

/** Header of every message (RFC 1035 section 4.1.1); no name starts before its end. */
export const headerBytes = 12;

interface RecordHead {
  readonly name: Name;
  /** Lifetime in s, 0..4_294_967_295; 0 says goodbye. */
  readonly ttlS: number;
  /** Cache-flush bit: the record belongs to a complete record set (RFC 6762 section 10.2). */
  readonly flush: boolean;
}

/** Data of the types that DNS-SD needs; raw bytes for all others. */
export type RecordData =
  | { readonly type: "A"; readonly address: string }
  | { readonly type: "AAAA"; readonly address: string }
  | { readonly type: "PTR"; readonly target: Name }
  | {
      readonly type: "SRV";
      readonly priority: number;
      readonly weight: number;
      readonly port: number;
      readonly target: Name;
    }
  | { readonly type: "TXT"; readonly strings: readonly Uint8Array[] }
  | { readonly type: "NSEC"; readonly next: Name; readonly types: readonly number[] }
  | { readonly type: "OTHER"; readonly code: number; readonly data: Uint8Array };

export type ResourceRecord = RecordHead & RecordData;

export interface Question {
  readonly name: Name;
  /** Number from `recordTypes`, or any other. */
  readonly type: number;
  /** The QU bit: a unicast answer is welcome (RFC 6762 section 5.4). */
  readonly unicast: boolean;
}

export interface Message {
  readonly id: number;
  readonly response: boolean;
  /** More known answers follow (RFC 6762 section 7.2). */
  readonly truncated: boolean;
  /** Never sent; messages in which either is not 0 are ignored (RFC 6762 sections 18.3, 18.11). */
  readonly opcode: number;
  readonly rcode: number;
  readonly questions: readonly Question[];
  readonly answers: readonly ResourceRecord[];
  readonly authorities: readonly ResourceRecord[];
  readonly additionals: readonly ResourceRecord[];
}

const emptyMessage: Message = {
  id: 0,
  response: false,
  truncated: false,
  opcode: 0,
  rcode: 0,
  questions: [],
  answers: [],
  authorities: [],
  additionals: [],
};

export function query(parts: Partial<Omit<Message, "response">>): Message {
  return { ...emptyMessage, ...parts };
}

export function response(parts: Partial<Omit<Message, "response">>): Message {
  return { ...emptyMessage, ...parts, response: true };
}

export function typeCode(record: RecordData): number {
  return record.type === "OTHER" ? record.code : recordTypes[record.type];
}

/** Key that records with the same name, type and data share, whatever their lifetimes. */
export function recordKey(record: ResourceRecord): string {
  return `${nameKey(record.name)} ${typeCode(record)} ${dataKey(record)}`;
}

function dataKey(record: ResourceRecord): string {
  switch (record.type) {
    case "A":
    case "AAAA":
      return record.address;
    case "PTR":
      return nameKey(record.target);
    case "SRV":
      return `${record.priority} ${record.weight} ${record.port} ${nameKey(record.target)}`;
    case "TXT":
      return record.strings.map((string) => `${string.length} ${textOf(string)}`).join();
    case "NSEC":
      return `${nameKey(record.next)} ${record.types}`;
    case "OTHER":
      return textOf(record.data);
  }
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}
