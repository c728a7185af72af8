/** Offsets of a DNS message's parts, found without any code of the product (RFC 1035 section 4). */

const headerBytes = 12;
const pointerMask = 0xc0;

export type Section = "question" | "answer" | "authority" | "additional";

const sections: readonly Section[] = ["question", "answer", "authority", "additional"];

/** Question or record at its place in the packet. */
export interface Item {
  readonly section: Section;
  readonly nameAt: number;
  readonly type: number;
  readonly classAt: number;
  /** With the top bit: QU in a question, cache-flush in a record. */
  readonly classBits: number;
  /** 0 for a question. */
  readonly ttlS: number;
  /** End of the item for a question. */
  readonly dataAt: number;
  readonly dataLength: number;
}

/** Name at its place in the packet. */
export interface RawName {
  readonly labels: readonly Buffer[];
  /** Start of each label, after its length byte. */
  readonly starts: readonly number[];
  readonly compressed: boolean;
  /** Start of the next field. */
  readonly end: number;
}

/** All items of a message. @throws {RangeError} when it is cut off. */
export function itemsOf(packet: Buffer): readonly Item[] {
  const items: Item[] = [];
  let at = headerBytes;
  for (const [index, section] of sections.entries()) {
    for (let left = packet.readUInt16BE(4 + 2 * index); left > 0; left -= 1) {
      const item = itemAt(packet, at, section);
      items.push(item);
      at = item.dataAt + item.dataLength;
    }
  }
  if (at !== packet.length) throw new RangeError(`${packet.length - at} bytes follow the last record`);
  return items;
}

function itemAt(packet: Buffer, nameAt: number, section: Section): Item {
  const { end } = nameIn(packet, nameAt);
  const head = { section, nameAt, type: packet.readUInt16BE(end), classAt: end + 2 };
  const classBits = packet.readUInt16BE(end + 2);
  if (section === "question") return { ...head, classBits, ttlS: 0, dataAt: end + 4, dataLength: 0 };
  const dataLength = packet.readUInt16BE(end + 8);
  return { ...head, classBits, ttlS: packet.readUInt32BE(end + 4), dataAt: end + 10, dataLength };
}

/** Name at `start`, with its pointers followed. */
export function nameIn(packet: Buffer, start: number): RawName {
  const labels: Buffer[] = [];
  const starts: number[] = [];
  let at = start;
  let end: number | null = null;
  for (let length = packet.readUInt8(at); length !== 0; length = packet.readUInt8(at)) {
    if ((length & pointerMask) === pointerMask) {
      end ??= at + 2;
      const target = packet.readUInt16BE(at) & 0x3fff;
      if (target >= at) throw new RangeError(`a pointer at ${at} leads forward`);
      at = target;
    } else {
      labels.push(packet.subarray(at + 1, at + 1 + length));
      starts.push(at + 1);
      at += 1 + length;
    }
  }
  return { labels, starts, compressed: end !== null, end: end ?? at + 1 };
}

const ptr = 12;
const srv = 33;
const nsec = 47;

/** Name in an item's data, or null if its type has none. */
export function nameInData(packet: Buffer, { type, dataAt, dataLength }: Item): RawName | null {
  if (dataLength === 0) return null;
  if (type === ptr || type === nsec) return nameIn(packet, dataAt);
  return type === srv ? nameIn(packet, dataAt + 6) : null;
}
