import {
  type Bytes,
  headerBytes,
  label,
  name,
  packet,
  pointer,
  question,
  record,
  text,
  types,
} from "./bytes.ts";

/** The longest packet there is (RFC 6762 section 17). */
export const maxBytes = 9_000;

/** As many copies of `part` as fit after the question `first`. */
function filled(section: "questions" | "answers", part: Bytes, first: Bytes = question(name())): Uint8Array {
  const count = Math.floor((maxBytes - headerBytes - first.length) / part.length);
  const counts = section === "questions" ? { questions: 1 + count } : { questions: 1, answers: count };
  return packet(counts, first, ...Array<Bytes>(count).fill(part));
}

function longName(character: string, lengths: readonly number[], end: Bytes): Bytes {
  return [...lengths.flatMap((length) => label(text(character.repeat(length)))), ...end];
}

const toFirst = pointer(headerBytes);
const manyLabels = question(longName("a", Array<number>(127).fill(1), [0]));
const manyEscapes = question(longName(".", [63, 63, 63, 61], [0]));
const brokenAtEnd = question(longName("a", [63, 63, 63, 59], [1, 0xff, 0]));

/** Record whose data are `count` pointers, each to the one before, the first to the root. */
function pointerChain(count: number): Bytes {
  const carrier = record([0], types.unassigned, Array<number>(2 * count).fill(0));
  const start = headerBytes + carrier.length - 2 * count;
  const chain = Array.from({ length: count }, (_, index) =>
    pointer(index === 0 ? headerBytes : start + 2 * index - 2),
  );
  return [...carrier.slice(0, -2 * count), ...chain.flat()];
}

function behindChain(count: number): Uint8Array {
  const chain = pointerChain(count);
  const last = pointer(headerBytes + chain.length - 2);
  const part = record(last, types.PTR, last);
  const records = Math.floor((maxBytes - headerBytes - chain.length) / part.length);
  return packet({ answers: 1 + records }, chain, ...Array<Bytes>(records).fill(part));
}

const everyType = Array.from({ length: 263 }, (_, block) => [
  block & 0xff,
  32,
  ...Array<number>(32).fill(0xff),
]);

/** Packets full of what costs most to read. */
export const floods: Readonly<Record<string, Uint8Array>> = {
  "questions for one name of 127 labels": filled("questions", question(toFirst), manyLabels),
  "records whose two names have 127 labels": filled(
    "answers",
    record(toFirst, types.PTR, toFirst),
    manyLabels,
  ),
  "records whose two names are 250 escaped dots": filled(
    "answers",
    record(toFirst, types.PTR, toFirst),
    manyEscapes,
  ),
  "questions for a long name that is no UTF-8": filled("questions", question(toFirst), brokenAtEnd),
  "records behind 125 pointers": behindChain(125),
  "records behind 1,000 pointers": behindChain(1_000),
  "records behind 2,500 pointers": behindChain(2_500),
  "empty TXT strings": packet({ answers: 1 }, record([0], types.TXT, Array<number>(8_977).fill(0))),
  "NSEC records for all types": packet({ answers: 1 }, record([0], types.NSEC, [0, ...everyType.flat()])),
  "AAAA records": filled("answers", record([0], types.AAAA, Array<number>(16).fill(0x11))),
  "the shortest records": filled("answers", record([0], types.unassigned, [])),
  "the shortest malformed records": filled("answers", record([0], types.A, [])),
  "counts without anything behind them": packet({ questions: 0xffff, answers: 0xffff, additionals: 0xffff }),
};
