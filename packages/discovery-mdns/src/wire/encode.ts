import { maxLabelBytes, maxNameBytes, type Name, nameKey, splitLabels } from "./name.ts";
import { type Message, type Question, type RecordData, type ResourceRecord, typeCode } from "./record.ts";

export interface EncodeOptions {
  /** Where a packet ends and the next begins; one record longer than that goes alone. */
  readonly maxBytes: number;
  /** Whether names in SRV data are compressed; not towards legacy queriers (RFC 6762 section 18.14). @default true */
  readonly compressServiceTargets?: boolean;
}

/** Ethernet's 1,500 less the headers of IPv6 and UDP (RFC 6762 section 17). */
export const maxPacketBytes = 1_452;

/**
 * Writes a message as one packet, or as several when it is longer than `maxBytes`.
 *
 * A query continues in packets that hold only known answers, all but the last marked truncated (RFC 6762
 * section 7.2); a response in packets that each stand for themselves.
 *
 * @throws {RangeError} for a name, string or number that DNS cannot hold.
 */
export function encode(message: Message, options: EncodeOptions): Uint8Array[] {
  const packets: Writer[] = [];
  let writer = new Writer(options);
  for (const question of message.questions) writer.question(question);
  for (const [section, records] of sectionsOf(message)) {
    for (const record of records) {
      if (writer.record(section, record)) continue;
      packets.push(writer);
      writer = new Writer(options);
      writer.record(section, record);
    }
  }
  packets.push(writer);
  return packets.map((packet, index) => {
    const more = !message.response && (message.truncated || index < packets.length - 1);
    return packet.finish(message, more);
  });
}

type Section = 1 | 2 | 3;

function sectionsOf(message: Message): readonly (readonly [Section, readonly ResourceRecord[]])[] {
  return [
    [1, message.answers],
    [2, message.authorities],
    [3, message.additionals],
  ];
}

/** No packet on any link is longer (RFC 6762 section 17). */
const capacityBytes = 9_000;

class Writer {
  readonly #options: EncodeOptions;
  readonly #bytes = new Uint8Array(capacityBytes);
  readonly #view = new DataView(this.#bytes.buffer);
  readonly #counts: [number, number, number, number] = [0, 0, 0, 0];
  /** Where each name written so far stands, for pointers (RFC 1035 section 4.1.4). */
  readonly #offsets = new Map<string, number>();
  #at = 12;

  constructor(options: EncodeOptions) {
    this.#options = options;
  }

  question({ name, type, unicast }: Question): void {
    this.#name(name, true);
    this.#uint16(type);
    this.#uint16(unicast ? 0x8001 : 1);
    this.#counts[0] += 1;
  }

  /** Adds a record, or leaves the packet as it was and returns false when there is no room. */
  record(section: Section, record: ResourceRecord): boolean {
    const start = this.#at;
    this.#write(record);
    const empty = this.#counts[0] + this.#counts[1] + this.#counts[2] + this.#counts[3] === 0;
    if (this.#at > this.#options.maxBytes && !empty) {
      this.#at = start;
      for (const [name, offset] of this.#offsets) {
        if (offset >= start) this.#offsets.delete(name);
      }
      return false;
    }
    this.#counts[section] += 1;
    return true;
  }

  finish({ id, response, opcode, rcode }: Message, truncated: boolean): Uint8Array {
    const flags = (response ? 0x8400 : 0) | (opcode << 11) | (truncated ? 0x0200 : 0) | rcode;
    [id, flags, ...this.#counts].forEach((value, index) => {
      this.#view.setUint16(index * 2, value);
    });
    return this.#bytes.slice(0, this.#at);
  }

  #write(record: ResourceRecord): void {
    this.#name(record.name, true);
    this.#uint16(typeCode(record));
    this.#uint16(record.flush ? 0x8001 : 1);
    this.#uint16(record.ttlS >>> 16);
    this.#uint16(record.ttlS & 0xffff);
    const lengthAt = this.#at;
    this.#uint16(0);
    this.#data(record);
    this.#view.setUint16(lengthAt, this.#at - lengthAt - 2);
  }

  #data(record: RecordData): void {
    switch (record.type) {
      case "A":
        return this.#append(Uint8Array.from(record.address.split("."), Number));
      case "AAAA":
        return this.#append(parseIPv6(record.address));
      case "PTR":
        return this.#name(record.target, true);
      case "SRV":
        this.#uint16(record.priority);
        this.#uint16(record.weight);
        this.#uint16(record.port);
        return this.#name(record.target, this.#options.compressServiceTargets ?? true);
      case "TXT":
        return this.#strings(record.strings);
      case "NSEC":
        this.#name(record.next, true);
        return this.#typeBitmap(record.types);
      case "OTHER":
        return this.#append(record.data);
    }
  }

  #name(name: Name, compress: boolean): void {
    const labels = splitLabels(name);
    if (Buffer.byteLength(labels.join(".")) + 2 > maxNameBytes) {
      throw new RangeError(`name ${JSON.stringify(name)} takes more than ${maxNameBytes} bytes`);
    }
    for (let index = 0; index < labels.length; index += 1) {
      const suffix = nameKey(labels.slice(index).join("\0"));
      const offset = this.#offsets.get(suffix);
      if (compress && offset !== undefined) return this.#uint16(0xc000 | offset);
      if (this.#at < 0x4000 && offset === undefined) this.#offsets.set(suffix, this.#at);
      this.#label(labels[index] ?? "");
    }
    this.#uint8(0);
  }

  #label(label: string): void {
    const bytes = Buffer.from(label);
    if (bytes.length === 0 || bytes.length > maxLabelBytes) {
      throw new RangeError(
        `label ${JSON.stringify(label)} must take 1 to ${maxLabelBytes} bytes, not ${bytes.length}`,
      );
    }
    this.#uint8(bytes.length);
    this.#append(bytes);
  }

  /** At least one string, if an empty one (RFC 6763 section 6.1). */
  #strings(strings: readonly Uint8Array[]): void {
    for (const string of strings.length > 0 ? strings : [new Uint8Array()]) {
      if (string.length > 255)
        throw new RangeError(`a TXT string takes ${string.length} bytes; at most 255 are allowed`);
      this.#uint8(string.length);
      this.#append(string);
    }
  }

  /** Window 0 only, as mDNS has it (RFC 6762 section 6.1). */
  #typeBitmap(types: readonly number[]): void {
    const bitmap = new Uint8Array(Math.floor(Math.max(0, ...types) / 8) + 1);
    if (bitmap.length > 32) throw new RangeError("NSEC types above 255 cannot be written");
    for (const type of types) bitmap[type >> 3] = (bitmap[type >> 3] ?? 0) | (0x80 >> (type & 7));
    this.#uint8(0);
    this.#uint8(bitmap.length);
    this.#append(bitmap);
  }

  #append(bytes: Uint8Array): void {
    this.#need(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  #uint8(value: number): void {
    this.#need(1);
    this.#view.setUint8(this.#at, value);
    this.#at += 1;
  }

  #uint16(value: number): void {
    this.#need(2);
    this.#view.setUint16(this.#at, value);
    this.#at += 2;
  }

  #need(length: number): void {
    if (this.#at + length > capacityBytes) {
      throw new RangeError(`a message of more than ${capacityBytes} bytes cannot be sent`);
    }
  }
}

function parseIPv6(address: string): Uint8Array {
  const [head = "", tail] = (address.split("%")[0] ?? "").split("::");
  const groups = (text: string): number[] =>
    text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16));
  const [left, right] = [groups(head), groups(tail ?? "")];
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length;
  const view = new DataView(new ArrayBuffer(16));
  [...left, ...Array<number>(Math.max(zeros, 0)).fill(0), ...right].slice(0, 8).forEach((group, index) => {
    view.setUint16(index * 2, group);
  });
  return new Uint8Array(view.buffer);
}
