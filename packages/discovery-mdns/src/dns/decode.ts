import { isUtf8 } from "node:buffer";
import { formatIPv6 } from "./ipv6.ts";
import { maxLabelBytes, maxNameBytes, type Name } from "./name.ts";
import {
  headerBytes,
  type Message,
  type Question,
  type RecordData,
  type ResourceRecord,
  recordTypes,
} from "./record.ts";

export interface Decoded {
  readonly message: Message;
  /** Count of questions and records that were dropped because they were malformed or cut off. */
  readonly malformed: number;
}

/** Signals malformed input; caught where the message is read. */
class Malformed extends Error {}

/** Pointers of one name: it has at most 127 labels, and each pointer makes work. */
const maxPointers = 127;

const dot = 0x2e;
const backslash = 0x5c;

/**
 * Reads a DNS message; null when not even its header is there. Never throws.
 *
 * A malformed record is dropped and the rest is kept, as RFC 6762 section 18 allows. Records of a class other
 * than IN are skipped, such as EDNS options, whose class has another meaning.
 */
export function decode(bytes: Uint8Array): Decoded | null {
  if (bytes.length < headerBytes) return null;
  // A slice of a Buffer is a view and no copy.
  const cursor = new Cursor(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  const [id, flags] = [cursor.uint16(), cursor.uint16()];
  const counts = [cursor.uint16(), cursor.uint16(), cursor.uint16(), cursor.uint16()] as const;
  const sections = new Sections(cursor);
  const message: Message = {
    id,
    response: (flags & 0x8000) !== 0,
    truncated: (flags & 0x0200) !== 0,
    opcode: (flags >> 11) & 0xf,
    rcode: flags & 0xf,
    questions: sections.next(counts[0], frameQuestion),
    answers: sections.next(counts[1], frameRecord),
    authorities: sections.next(counts[2], frameRecord),
    additionals: sections.next(counts[3], frameRecord),
  };
  return { message, malformed: sections.malformed };
}

/** Finds the end of an item and returns its reader; a reader gives null for an item that is skipped. */
type Frame<T> = (cursor: Cursor) => () => T | null;

class Sections {
  malformed = 0;
  readonly #cursor: Cursor;

  constructor(cursor: Cursor) {
    this.#cursor = cursor;
  }

  /** Reads up to `count` items; one whose end cannot be found ends the whole message. */
  next<T>(count: number, frame: Frame<T>): T[] {
    const items: T[] = [];
    for (let left = count; left > 0; left -= 1) {
      const read = attempt(() => frame(this.#cursor));
      if (read === undefined) {
        this.malformed += left;
        this.#cursor.skipToEnd();
        break;
      }
      const item = attempt(read);
      if (item === undefined) this.malformed += 1;
      else if (item !== null) items.push(item);
    }
    return items;
  }
}

/** Result of `read`, or undefined if the input is malformed. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Malformed) return undefined;
    throw error;
  }
}

function frameQuestion(cursor: Cursor): () => Question | null {
  const start = cursor.skipName();
  const [type, classBits] = [cursor.uint16(), cursor.uint16()];
  return () =>
    isInternet(classBits) ? { name: cursor.nameAt(start), type, unicast: (classBits & 0x8000) !== 0 } : null;
}

function frameRecord(cursor: Cursor): () => ResourceRecord | null {
  const start = cursor.skipName();
  const [type, classBits, ttlS] = [cursor.uint16(), cursor.uint16(), cursor.uint32()];
  const part = cursor.part(cursor.uint16());
  return () => {
    if (!isInternet(classBits)) return null;
    const data = readData(type, part);
    if (!part.isAtEnd) throw new Malformed();
    return { name: cursor.nameAt(start), ttlS, flush: (classBits & 0x8000) !== 0, ...data };
  };
}

/** Class IN, whatever the top bit, or ANY, which questions may ask for. */
function isInternet(classBits: number): boolean {
  const value = classBits & 0x7fff;
  return value === 1 || value === 255;
}

function readData(type: number, part: Cursor): RecordData {
  switch (type) {
    case recordTypes.A:
      return { type: "A", address: part.bytes(4).join(".") };
    case recordTypes.AAAA:
      return { type: "AAAA", address: formatIPv6(part.bytes(16)) };
    case recordTypes.PTR:
      return { type: "PTR", target: part.name() };
    case recordTypes.SRV: {
      const [priority, weight, port] = [part.uint16(), part.uint16(), part.uint16()];
      return { type: "SRV", priority, weight, port, target: part.name() };
    }
    case recordTypes.TXT:
      return { type: "TXT", strings: readStrings(part) };
    case recordTypes.NSEC:
      return { type: "NSEC", next: part.name(), types: readTypes(part) };
    default:
      return { type: "OTHER", code: type, data: part.rest() };
  }
}

/** Character strings (RFC 1035 section 3.3.14). */
function readStrings(part: Cursor): Uint8Array[] {
  const strings: Uint8Array[] = [];
  while (!part.isAtEnd) strings.push(part.bytes(part.uint8()));
  return strings;
}

/** The types present below 256; blocks of higher ones are passed over (RFC 4034 section 4.1.2, RFC 6762 section 6.1). */
function readTypes(part: Cursor): number[] {
  const types: number[] = [];
  while (!part.isAtEnd) {
    const block = part.uint8();
    const bitmap = part.bytes(part.uint8());
    if (bitmap.length < 1 || bitmap.length > 32) throw new Malformed();
    if (block > 0) continue;
    bitmap.forEach((byte, index) => {
      for (let bit = 0; bit < 8; bit += 1) {
        if (byte & (0x80 >> bit)) types.push(index * 8 + bit);
      }
    });
  }
  return types;
}

/** Reads a packet, or a part of it, from front to back; every method throws `Malformed` past the end. */
class Cursor {
  readonly #packet: Uint8Array;
  readonly #end: number;
  #at: number;

  constructor(packet: Uint8Array, at = 0, end: number = packet.length) {
    this.#packet = packet;
    this.#at = at;
    this.#end = end;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#end;
  }

  skipToEnd(): void {
    this.#at = this.#end;
  }

  uint8(): number {
    return byteAt(this.#packet, this.#advance(1));
  }

  uint16(): number {
    return (this.uint8() << 8) | this.uint8();
  }

  uint32(): number {
    return this.uint16() * 0x1_0000 + this.uint16();
  }

  /** Copies, because records outlive their packet. */
  bytes(length: number): Uint8Array {
    return this.#packet.slice(this.#advance(length), this.#at);
  }

  rest(): Uint8Array {
    return this.bytes(this.#end - this.#at);
  }

  /** The next `length` bytes as a part of their own, whose names may point to anything before. */
  part(length: number): Cursor {
    return new Cursor(this.#packet, this.#advance(length), this.#at);
  }

  name(): Name {
    return this.nameAt(this.skipName());
  }

  /** Steps over a name, which may still be malformed where it points to, and returns its start. */
  skipName(): number {
    const start = this.#at;
    for (let length = this.uint8(); length !== 0; length = this.uint8()) {
      if (isPointer(length)) {
        this.uint8();
        break;
      }
      if (length > maxLabelBytes) throw new Malformed();
      this.#advance(length);
    }
    return start;
  }

  /**
   * The name that starts at `start`.
   *
   * Pointers lead only ever further back, so that a loop is impossible (RFC 1035 section 4.1.4, RFC 9267).
   * The text is decoded at once: thousands of long names may point to one of 127 labels.
   */
  nameAt(start: number): Name {
    const text: number[] = [];
    let [at, floor, nameBytes, pointers] = [start, start, 1, 0];
    for (let length = byteAt(this.#packet, at); length !== 0; length = byteAt(this.#packet, at)) {
      if (isPointer(length)) {
        at = ((length & 0x3f) << 8) | byteAt(this.#packet, at + 1);
        pointers += 1;
        if (at >= floor || at < headerBytes || pointers > maxPointers) throw new Malformed();
        floor = at;
      } else {
        nameBytes += length + 1;
        if (length > maxLabelBytes || nameBytes > maxNameBytes) throw new Malformed();
        pushLabel(text, this.#packet, at + 1, length);
        at += length + 1;
      }
    }
    return decodeUtf8(text);
  }

  /** Moves on by `length` bytes and returns where it was. */
  #advance(length: number): number {
    if (this.#at + length > this.#end) throw new Malformed();
    this.#at += length;
    return this.#at - length;
  }
}

function isPointer(length: number): boolean {
  return length >= 0xc0;
}

function byteAt(packet: Uint8Array, at: number): number {
  const byte = packet[at];
  if (byte === undefined) throw new Malformed();
  return byte;
}

function pushLabel(text: number[], packet: Uint8Array, at: number, length: number): void {
  if (text.length > 0) text.push(dot);
  for (let index = at; index < at + length; index += 1) {
    const byte = byteAt(packet, index);
    if (byte === dot || byte === backslash) text.push(backslash);
    text.push(byte);
  }
}

function decodeUtf8(text: readonly number[]): string {
  const bytes = Buffer.from(text);
  if (!isUtf8(bytes)) throw new Malformed();
  return bytes.toString();
}
