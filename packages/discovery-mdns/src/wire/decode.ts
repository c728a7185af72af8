import { joinLabels, maxLabelBytes, maxNameBytes, type Name } from "./name.ts";
import { type Message, type Question, type RecordData, type ResourceRecord, recordTypes } from "./record.ts";

export interface Decoded {
  readonly message: Message;
  /** How many questions and records were dropped because they were malformed or cut off. */
  readonly malformed: number;
}

/** Says that what is being read is malformed; never leaves this module. */
class Malformed extends Error {}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads a DNS message; null when not even its header is there. Never throws.
 *
 * A malformed record is dropped and the rest is kept (RFC 6762 section 18 asks for no more).
 */
export function decode(bytes: Uint8Array): Decoded | null {
  if (bytes.length < 12) return null;
  const reader = new Reader(bytes);
  const [id, flags] = [reader.uint16(), reader.uint16()];
  const counts = [reader.uint16(), reader.uint16(), reader.uint16(), reader.uint16()] as const;
  const questions = reader.section(counts[0], () => reader.question());
  const [answers, authorities, additionals] = [counts[1], counts[2], counts[3]].map((count) =>
    reader.section(count, () => reader.record()),
  );
  const message: Message = {
    id,
    response: (flags & 0x8000) !== 0,
    truncated: (flags & 0x0200) !== 0,
    opcode: (flags >> 11) & 0xf,
    rcode: flags & 0xf,
    questions,
    answers: answers ?? [],
    authorities: authorities ?? [],
    additionals: additionals ?? [],
  };
  return { message, malformed: reader.malformed };
}

class Reader {
  malformed = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Reads up to `count` items; one that cannot be skipped ends the whole message. */
  section<T>(count: number, read: () => T | null): T[] {
    const items: T[] = [];
    for (let index = 0; index < count; index += 1) {
      try {
        const item = read();
        if (item === null) this.malformed += 1;
        else items.push(item);
      } catch (error) {
        if (!(error instanceof Malformed)) throw error;
        this.malformed += count - index;
        this.#at = this.#bytes.length;
        break;
      }
    }
    return items;
  }

  question(): Question | null {
    const name = this.#name();
    const type = this.uint16();
    const classBits = this.uint16();
    if (name === null || !isInternet(classBits)) return null;
    return { name, type, unicast: (classBits & 0x8000) !== 0 };
  }

  record(): ResourceRecord | null {
    const name = this.#name();
    const type = this.uint16();
    const classBits = this.uint16();
    const ttlS = this.#uint32();
    const length = this.uint16();
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new Malformed();
    const data = this.#data(type, end);
    this.#at = end;
    if (name === null || data === null || !isInternet(classBits)) return null;
    return { name, ttlS, flush: (classBits & 0x8000) !== 0, ...data };
  }

  uint16(): number {
    this.#need(2);
    this.#at += 2;
    return this.#view.getUint16(this.#at - 2);
  }

  #uint8(): number {
    this.#need(1);
    this.#at += 1;
    return this.#view.getUint8(this.#at - 1);
  }

  #uint32(): number {
    this.#need(4);
    this.#at += 4;
    return this.#view.getUint32(this.#at - 4);
  }

  #slice(length: number): Uint8Array {
    this.#need(length);
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  #need(length: number): void {
    if (this.#at + length > this.#bytes.length) throw new Malformed();
  }

  /** Data that ends exactly at `end`, or null. */
  #data(type: number, end: number): RecordData | null {
    try {
      const data = this.#dataOf(type, end);
      return this.#at === end ? data : null;
    } catch (error) {
      if (error instanceof Malformed) return null;
      throw error;
    }
  }

  #dataOf(type: number, end: number): RecordData | null {
    switch (type) {
      case recordTypes.A:
        return { type: "A", address: this.#slice(4).join(".") };
      case recordTypes.AAAA:
        return { type: "AAAA", address: formatIPv6(this.#slice(16)) };
      case recordTypes.PTR: {
        const target = this.#name();
        return target === null ? null : { type: "PTR", target };
      }
      case recordTypes.SRV:
        return this.#service();
      case recordTypes.TXT:
        return { type: "TXT", strings: this.#strings(end) };
      case recordTypes.NSEC: {
        const next = this.#name();
        return next === null ? null : { type: "NSEC", next, types: this.#typeBitmap(end) };
      }
      default:
        return { type: "OTHER", code: type, data: this.#slice(end - this.#at).slice() };
    }
  }

  #service(): RecordData | null {
    const [priority, weight, port] = [this.uint16(), this.uint16(), this.uint16()];
    const target = this.#name();
    return target === null ? null : { type: "SRV", priority, weight, port, target };
  }

  /** Character strings (RFC 1035 section 3.3.14); copies, for records outlive their packet. */
  #strings(end: number): Uint8Array[] {
    const strings: Uint8Array[] = [];
    while (this.#at < end) {
      const length = this.#uint8();
      if (this.#at + length > end) throw new Malformed();
      strings.push(this.#slice(length).slice());
    }
    return strings;
  }

  /** Types present (RFC 4034 section 4.1.2). */
  #typeBitmap(end: number): number[] {
    const types: number[] = [];
    while (this.#at < end) {
      const window = this.#uint8();
      const bitmap = this.#slice(this.#uint8());
      bitmap.forEach((byte, index) => {
        for (let bit = 0; bit < 8; bit += 1) {
          if (byte & (0x80 >> bit)) types.push(window * 256 + index * 8 + bit);
        }
      });
    }
    return types;
  }

  /** A name, or null for one that cannot be understood but whose end is known. */
  #name(): Name | null {
    const start = this.#at;
    this.#skipName();
    return readName(this.#bytes, start);
  }

  #skipName(): void {
    for (let length = this.#uint8(); length !== 0; length = this.#uint8()) {
      if (length >= 0xc0) {
        this.#uint8();
        return;
      }
      if (length > maxLabelBytes) throw new Malformed();
      this.#slice(length);
    }
  }
}

/**
 * The name that starts at `start`, or null when it is malformed.
 *
 * Pointers lead only ever further back, so that a loop is impossible (RFC 1035 section 4.1.4, RFC 9267).
 */
function readName(bytes: Uint8Array, start: number): Name | null {
  const labels: string[] = [];
  let floor = start;
  let nameBytes = 1;
  for (let at = start; ; ) {
    const length = bytes[at];
    if (length === undefined) return null;
    if (length === 0) return joinLabels(labels);
    if (length >= 0xc0) {
      at = ((length & 0x3f) << 8) | (bytes[at + 1] ?? 0);
      if (at >= floor) return null;
      floor = at;
      continue;
    }
    nameBytes += length + 1;
    const label = decodeLabel(bytes.subarray(at + 1, at + 1 + length));
    if (label === null || nameBytes > maxNameBytes) return null;
    labels.push(label);
    at += length + 1;
  }
}

/** Class IN, whatever the top bit, or ANY, which questions may ask for. */
function isInternet(classBits: number): boolean {
  const value = classBits & 0x7fff;
  return value === 1 || value === 255;
}

function decodeLabel(bytes: Uint8Array): string | null {
  if (bytes.length > maxLabelBytes) return null;
  try {
    return utf8.decode(bytes);
  } catch {
    return null;
  }
}

/** The address in the form of RFC 5952, which is also how URLs spell it. */
function formatIPv6(bytes: Uint8Array): string {
  const groups = bytes.reduce((text, byte, index) => {
    const separator = index > 0 && index % 2 === 0 ? ":" : "";
    return `${text}${separator}${byte.toString(16).padStart(2, "0")}`;
  }, "");
  return new URL(`http://[${groups}]`).hostname.slice(1, -1);
}
