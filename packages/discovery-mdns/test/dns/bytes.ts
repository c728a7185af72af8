/** Parts of packets, written by hand: a test can say what no encoder would. */
export type Bytes = readonly number[];

export const headerBytes = 12;

export interface Counts {
  readonly questions?: number;
  readonly answers?: number;
  readonly authorities?: number;
  readonly additionals?: number;
}

/** Response with these counts in its header, whatever follows. */
export function packet(counts: Counts, ...parts: readonly Bytes[]): Uint8Array {
  const { questions = 0, answers = 0, authorities = 0, additionals = 0 } = counts;
  const header = [0, 0x8400, questions, answers, authorities, additionals].flatMap(uint16);
  return Uint8Array.from([...header, ...parts.flat()]);
}

function uint16(value: number): Bytes {
  return [(value >> 8) & 0xff, value & 0xff];
}

export function text(characters: string): Bytes {
  return [...Buffer.from(characters)];
}

export function label(bytes: Bytes): Bytes {
  return [bytes.length, ...bytes];
}

export function name(...labels: readonly string[]): Bytes {
  return [...labels.flatMap((one) => label(text(one))), 0];
}

export function pointer(offset: number): Bytes {
  return uint16(0xc000 | offset);
}

export const types = {
  A: 1,
  PTR: 12,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  OPT: 41,
  NSEC: 47,
  unassigned: 999,
} as const;

export function question(owner: Bytes, type: number = types.PTR, classBits = 1): Bytes {
  return [...owner, ...uint16(type), ...uint16(classBits)];
}

export interface RecordOptions {
  readonly classBits?: number;
  /** @default the length of the data */
  readonly length?: number;
}

/** A record with a lifetime of 120 s. */
export function record(owner: Bytes, type: number, data: Bytes, options: RecordOptions = {}): Bytes {
  const { classBits = 1, length = data.length } = options;
  return [...owner, ...uint16(type), ...uint16(classBits), 0, 0, 0, 120, ...uint16(length), ...data];
}
