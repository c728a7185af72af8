import { isUtf8 } from "node:buffer";
import { maxLabelBytes, maxNameBytes, type Name } from "./name.ts";

/** Says that what is being read is malformed; caught where the message is read. */
export class Malformed extends Error {}

/** Of every message (RFC 1035 section 4.1.1); no name starts before its end. */
export const headerBytes = 12;
/** As many as a name can have labels: none needs more, and each makes work. */
const maxPointers = 127;

const dot = 0x2e;
const backslash = 0x5c;

/** Reads a packet, or a part of it, from front to back; every method throws `Malformed` past the end. */
export class Cursor {
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

  /** A copy, for records outlive their packet. */
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

/** Appends a label as it stands in a `Name`. */
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
