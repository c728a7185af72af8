import dnsPacket, { type Answer, type Packet, type Question, type RecordType } from "dns-packet";
import { itemsOf, nameIn, nameInData } from "./wire.ts";

/** Bits of the header's second word. */
export const headerBits = {
  authoritative: 0x0400,
  truncated: 0x0200,
  opcode: (value: number): number => value << 11,
  rcode: (value: number): number => value,
} as const;

export interface Ask {
  readonly name: string;
  readonly type: RecordType | "ANY";
  /** QU bit. @default false */
  readonly unicast?: boolean;
}

/** Message to be sent. A dot inside a label is written `\.`, and a backslash as itself. */
export interface Draft {
  readonly id?: number;
  /** Header bits but QR. @default those of RFC 6762 section 18 */
  readonly flags?: number;
  readonly questions?: readonly Ask[];
  readonly answers?: readonly Answer[];
  readonly authorities?: readonly Answer[];
  readonly additionals?: readonly Answer[];
}

export function query(draft: Draft): Buffer {
  return write("query", { flags: 0, ...draft });
}

export function response(draft: Draft): Buffer {
  return write("response", { flags: headerBits.authoritative, ...draft });
}

/** Replaces a dot inside a label, because the codec knows no escapes and splits names at dots. */
const dotStandIn = "\u001f";

function write(type: "query" | "response", draft: Draft): Buffer {
  const { questions = [], answers = [], authorities = [], additionals = [], ...header } = draft;
  const packet = withStandIns({ ...header, type, questions, answers, authorities, additionals });
  // The codec knows more types of questions than its typings.
  return patched(dnsPacket.encode(packet as Packet), questions);
}

/** Replaces every escaped dot in a value. */
function withStandIns(value: unknown): unknown {
  if (typeof value === "string") return value.replaceAll("\\.", dotStandIn);
  if (Array.isArray(value)) return value.map(withStandIns);
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withStandIns(inner)]));
}

/** Writes parts that the codec cannot: QU bits, and dots inside labels. */
function patched(packet: Buffer, questions: readonly Ask[]): Buffer {
  for (const [index, item] of itemsOf(packet).entries()) {
    if (questions[index]?.unicast) packet.writeUInt16BE(item.classBits | 0x8000, item.classAt);
    for (const name of [nameIn(packet, item.nameAt), nameInData(packet, item)]) {
      for (const label of name?.labels ?? []) putDots(label);
    }
  }
  return packet;
}

function putDots(label: Buffer): void {
  const standIn = dotStandIn.charCodeAt(0);
  for (let at = label.indexOf(standIn); at >= 0; at = label.indexOf(standIn, at + 1)) label.write(".", at);
}

export interface Asked {
  readonly name: string;
  readonly type: string;
  readonly unicast: boolean;
}

/** Received record, with the optional fields of its type. */
export interface Received {
  readonly name: string;
  readonly type: string;
  readonly ttlS: number;
  readonly flush: boolean;
  /** Field of A and AAAA. */
  readonly address?: string;
  /** Field of PTR and SRV. */
  readonly target?: string;
  /** Field of SRV. */
  readonly port?: number;
  /** Field of TXT. */
  readonly strings?: readonly string[];
  /** Field of NSEC. */
  readonly types?: readonly string[];
}

export interface Message {
  readonly id: number;
  readonly response: boolean;
  /** Header bits but QR. */
  readonly flags: number;
  readonly truncated: boolean;
  readonly questions: readonly Asked[];
  readonly answers: readonly Received[];
  readonly authorities: readonly Received[];
  readonly additionals: readonly Received[];
}

/** Readable datagram from or to port 5353, on any link. */
export interface Heard {
  /** Time at which it left, in ms on its recorder's clock. */
  readonly tMs: number;
  /** Addresses without a zone. */
  readonly src: string;
  readonly dst: string;
  readonly sport: number;
  readonly dport: number;
  readonly payload: Buffer;
  readonly message: Message;
}

/** Parses a message; null if the codec cannot. */
export function read(packet: Buffer): Message | null {
  try {
    const { id = 0, type, flags = 0, questions = [], ...records } = dnsPacket.decode(packet);
    const { answers = [], authorities = [], additionals = [] } = records;
    const items = itemsOf(packet);
    return {
      id,
      response: type === "response",
      flags,
      truncated: (flags & headerBits.truncated) !== 0,
      questions: questions.map((question, index) => asked(question, items[index]?.classBits ?? 0)),
      answers: answers.map(received),
      authorities: authorities.map(received),
      additionals: additionals.map(received),
    };
  } catch {
    return null;
  }
}

function asked({ name, type }: Question, classBits: number): Asked {
  return { name, type, unicast: (classBits & 0x8000) !== 0 };
}

function received(record: Answer): Received {
  const { name, type } = record;
  if (record.type === "OPT") return { name, type, ttlS: 0, flush: false };
  const head = { name, type, ttlS: record.ttl ?? 0, flush: record.flush ?? false };
  switch (record.type) {
    case "A":
    case "AAAA":
      return { ...head, address: record.data };
    case "PTR":
      return { ...head, target: record.data };
    case "SRV":
      return { ...head, target: record.data.target, port: record.data.port };
    case "TXT":
      return { ...head, strings: [record.data].flat().map(String) };
    case "NSEC":
      return { ...head, types: record.data.rrtypes };
    default:
      return head;
  }
}
