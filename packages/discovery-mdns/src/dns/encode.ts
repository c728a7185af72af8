import { isIPv6, parseAddress } from "@lmserv/discovery-core/transport";
import { parseIPv6 } from "./ipv6.ts";
import { joinLabels, maxLabelBytes, maxNameBytes, type Name, splitLabels } from "./name.ts";
import {
  headerBytes,
  type Message,
  type Question,
  type RecordData,
  type ResourceRecord,
  typeCode,
} from "./record.ts";

export interface EncodeOptions {
  /** Size of a packet in bytes, at most 8,952; a single longer record still gets a packet of its own. */
  readonly maxBytes: number;
  /** Compresses names in SRV data, except towards legacy queriers (RFC 6762 section 18.14). @default true */
  readonly compressServiceTargets?: boolean;
}

/** Ethernet's 1,500 less the headers of IPv6 and UDP (RFC 6762 section 17). */
export const maxPacketBytes = 1_452;
/** Limit of a packet with one long record, in IP fragments: 9,000 less the same headers. */
const maxFragmentedBytes = 8_952;

/**
 * Writes a message as one packet, or as several when it is longer than `maxBytes`.
 *
 * A query continues in packets that hold only known answers, all but the last marked truncated (RFC 6762
 * section 7.2). Questions that fill several packets come first and alone. A response continues in packets
 * that each stand for themselves. Additional records without room in the packets of the answers are left out.
 *
 * @throws {RangeError} for a name, string, address or number that DNS cannot hold.
 */
export function encode(message: Message, options: EncodeOptions): Uint8Array[] {
  let writer = new Writer(options);
  const packets = [writer];
  const add = (write: (packet: Writer) => boolean): void => {
    if (write(writer)) return;
    writer = new Writer(options);
    packets.push(writer);
    write(writer);
  };
  for (const question of message.questions) add((packet) => packet.question(question));
  for (const record of message.answers) add((packet) => packet.record(1, record));
  for (const record of message.authorities) add((packet) => packet.record(2, record));
  for (const record of message.additionals) if (!writer.record(3, record)) break;
  const last = packets.findLastIndex((packet) => packet.hasRecords);
  return packets.map((packet, index) => {
    const truncated = !message.response && (message.truncated || index < last);
    return packet.finish(message, truncated);
  });
}

/** Count of a message's additional records, from the first on, that found room in its packets. */
export function countAdditionals(packets: readonly Uint8Array[]): number {
  const counts = packets.map(({ buffer, byteOffset }) => new DataView(buffer, byteOffset).getUint16(10));
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Encodes record data without pointers, the form that decides ties (RFC 6762 section 8.2). */
export function encodeData(data: RecordData): Uint8Array {
  return new Writer({ maxBytes: maxPacketBytes }).data(data);
}

class Writer {
  readonly #options: EncodeOptions;
  readonly #bytes: number[] = Array<number>(headerBytes).fill(0);
  /** Counts of questions, answers, authorities and additionals. */
  readonly #counts: [number, number, number, number] = [0, 0, 0, 0];
  /** Offset of each name written so far, for pointers (RFC 1035 section 4.1.4). */
  readonly #offsets = new Map<Name, number>();

  constructor(options: EncodeOptions) {
    this.#options = options;
  }

  get hasRecords(): boolean {
    return this.#counts.some((count, section) => section > 0 && count > 0);
  }

  /** Adds a question; false when there is no room, and the packet is complete. */
  question({ name, type, unicast }: Question): boolean {
    return this.#add(0, () => {
      this.#name(name, true);
      this.#uint(type, 16);
      this.#uint(unicast ? 0x8001 : 1, 16);
    });
  }

  /** Adds a record; false when there is no room, and the packet is complete. */
  record(section: 1 | 2 | 3, record: ResourceRecord): boolean {
    return this.#add(section, () => {
      this.#name(record.name, true);
      this.#uint(typeCode(record), 16);
      this.#uint(record.flush ? 0x8001 : 1, 16);
      this.#uint(record.ttlS, 32);
      this.#uint(0, 16);
      const start = this.#bytes.length;
      this.#data(record);
      const length = this.#bytes.length - start;
      this.#bytes.splice(start - 2, 2, length >> 8, length & 0xff);
    });
  }

  data(data: RecordData): Uint8Array {
    this.#data(data);
    return Uint8Array.from(this.#bytes.slice(headerBytes));
  }

  finish({ id, response, opcode, rcode }: Message, truncated: boolean): Uint8Array {
    const { length } = this.#bytes;
    if (length > maxFragmentedBytes) {
      throw new RangeError(
        `a record makes a packet of ${length} bytes; at most ${maxFragmentedBytes} are allowed`,
      );
    }
    const bytes = Uint8Array.from(this.#bytes);
    const view = new DataView(bytes.buffer);
    const flags = (response ? 0x8400 : 0) | (opcode << 11) | (truncated ? 0x0200 : 0) | rcode;
    [id, flags, ...this.#counts].forEach((value, index) => {
      view.setUint16(index * 2, value);
    });
    return bytes;
  }

  #add(section: 0 | 1 | 2 | 3, write: () => void): boolean {
    const start = this.#bytes.length;
    write();
    if (this.#bytes.length > this.#options.maxBytes && start > headerBytes) {
      this.#bytes.length = start;
      return false;
    }
    this.#counts[section] += 1;
    return true;
  }

  #data(record: RecordData): void {
    switch (record.type) {
      case "A":
        return this.#append(parseIPv4(record.address));
      case "AAAA":
        return this.#append(parseIPv6(record.address));
      case "PTR":
        return this.#name(record.target, true);
      case "SRV":
        this.#uint(record.priority, 16);
        this.#uint(record.weight, 16);
        this.#uint(record.port, 16);
        return this.#name(record.target, this.#options.compressServiceTargets ?? true);
      case "TXT":
        return this.#strings(record.strings);
      case "NSEC":
        this.#name(record.next, true);
        return this.#types(record.types);
      case "OTHER":
        return this.#append(record.data);
    }
  }

  /** Points only to names of the same case, so that every name keeps its case. */
  #name(name: Name, compress: boolean): void {
    const labels = splitLabels(name);
    const length = labels.reduce((sum, label) => sum + Buffer.byteLength(label) + 1, 1);
    if (length > maxNameBytes) {
      throw new RangeError(
        `name ${JSON.stringify(name)} takes ${length} bytes; at most ${maxNameBytes} are allowed`,
      );
    }
    for (const [index, label] of labels.entries()) {
      const suffix = joinLabels(labels.slice(index));
      const offset = this.#offsets.get(suffix);
      if (compress && offset !== undefined) return this.#uint(0xc000 | offset, 16);
      this.#offsets.set(suffix, this.#bytes.length);
      this.#label(label);
    }
    this.#uint(0, 8);
  }

  #label(label: string): void {
    const bytes = Buffer.from(label);
    if (bytes.length > maxLabelBytes) {
      throw new RangeError(
        `label ${JSON.stringify(label)} takes ${bytes.length} bytes; at most ${maxLabelBytes} are allowed`,
      );
    }
    this.#uint(bytes.length, 8);
    this.#append(bytes);
  }

  /** At least one string, if an empty one (RFC 6763 section 6.1). */
  #strings(strings: readonly Uint8Array[]): void {
    for (const string of strings.length > 0 ? strings : [new Uint8Array()]) {
      if (string.length > 255)
        throw new RangeError(`a TXT string takes ${string.length} bytes; at most 255 are allowed`);
      this.#uint(string.length, 8);
      this.#append(string);
    }
  }

  /** Writes block 0 only, as mDNS defines it (RFC 6762 section 6.1), and nothing for an empty list. */
  #types(types: readonly number[]): void {
    if (types.length === 0) return;
    const highest = Math.max(...types);
    if (highest > 255) throw new RangeError(`NSEC type ${highest} cannot be written; at most 255 is allowed`);
    const bitmap = new Uint8Array((highest >> 3) + 1);
    for (const type of types) bitmap[type >> 3] = (bitmap[type >> 3] ?? 0) | (0x80 >> (type & 7));
    this.#uint(0, 8);
    this.#uint(bitmap.length, 8);
    this.#append(bitmap);
  }

  #append(bytes: Iterable<number>): void {
    this.#bytes.push(...bytes);
  }

  #uint(value: number, bits: 8 | 16 | 32): void {
    const max = 2 ** bits - 1;
    if (!Number.isInteger(value) || value < 0 || value > max) {
      throw new RangeError(`number ${value} must be an integer from 0 to ${max}`);
    }
    for (let shift = bits - 8; shift >= 0; shift -= 8) this.#bytes.push((value >>> shift) & 0xff);
  }
}

function parseIPv4(address: string): readonly number[] {
  const bytes = isIPv6(address) ? undefined : parseAddress(address)?.bytes;
  if (!bytes) throw new RangeError(`${JSON.stringify(address)} must be an IPv4 address`);
  return bytes;
}
