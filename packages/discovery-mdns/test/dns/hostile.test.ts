import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Decoded, decode } from "../../src/dns/decode.ts";
import { encode, encodeData } from "../../src/dns/encode.ts";
import type { Message } from "../../src/dns/record.ts";
import { anyParts, itemsOf, messageOf } from "./arbitraries.ts";
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

function read(bytes: Uint8Array): Decoded {
  const decoded = decode(bytes);
  if (!decoded) throw new Error("not even a header");
  return decoded;
}

function claimedItems(bytes: Uint8Array): number {
  return [4, 6, 8, 10].reduce((sum, at) => sum + (((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)), 0);
}

const validPacket = messageOf(anyParts)
  .map((message) => encode(message, { maxBytes: 1_452 })[0])
  .filter((bytes) => bytes !== undefined);

describe("any bytes", () => {
  /** Asserts that nothing is thrown, and that each claimed item was read, dropped or skipped. */
  function expectSane(bytes: Uint8Array): void {
    const decoded = decode(bytes);
    expect(decoded === null).toBe(bytes.length < headerBytes);
    // Ties between probes are decided by the others' data, which are encoded again.
    for (const { message } of decoded ? [decoded] : []) {
      for (const data of [...message.answers, ...message.authorities, ...message.additionals])
        encodeData(data);
    }
    const found = decoded ? itemsOf(decoded.message).length + decoded.malformed : 0;
    expect(found).toBeLessThanOrEqual(claimedItems(bytes));
  }

  test("are read without an exception", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 1_500 }), expectSane));
  });

  test("behind a header that claims little are read without an exception", () => {
    const count = fc.integer({ min: 0, max: 4 });
    const body = fc.uint8Array({ maxLength: 600 });
    fc.assert(
      fc.property(
        fc.tuple(count, count, count, count),
        body,
        ([questions, answers, authorities, additionals], rest) => {
          expectSane(packet({ questions, answers, authorities, additionals }, [...rest]));
        },
      ),
    );
  });

  test("of a valid packet, some of them changed, are read without an exception", () => {
    const change = fc.tuple(
      fc.nat(),
      fc.oneof(fc.constantFrom(0, 0x40, 0x80, 0xc0, 0xff), fc.nat({ max: 255 })),
    );
    const changes = fc.array(change, { minLength: 1, maxLength: 10 });
    fc.assert(
      fc.property(validPacket, changes, (bytes, edits) => {
        for (const [at, value] of edits) bytes[at % bytes.length] = value;
        expectSane(bytes);
      }),
    );
  });

  test("of a valid packet that was cut off give what came before the cut", () => {
    fc.assert(
      fc.property(validPacket, fc.nat(), (bytes, at) => {
        const whole = read(bytes).message;
        const cut = bytes.subarray(0, headerBytes + (at % (bytes.length - headerBytes + 1)));
        const { message, malformed } = read(cut);
        const kept = itemsOf(message);
        expect(kept).toEqual(itemsOf(whole).slice(0, kept.length));
        expect(malformed).toBe(itemsOf(whole).length - kept.length);
      }),
    );
  });

  test.each([0, 1, 11])("that are %i in number are no message", (length) => {
    expect(decode(new Uint8Array(length))).toBeNull();
    expect(decode(Buffer.alloc(length))).toBeNull();
  });

  test("that are a header alone are an empty message", () => {
    expect(read(new Uint8Array(headerBytes))).toEqual({
      malformed: 0,
      message: {
        id: 0,
        response: false,
        truncated: false,
        opcode: 0,
        rcode: 0,
        questions: [],
        answers: [],
        authorities: [],
        additionals: [],
      } satisfies Message,
    });
  });

  test("lose nothing by a header that claims more than there is", () => {
    const counts = { questions: 0xffff, answers: 0xffff, authorities: 0xffff, additionals: 0xffff };
    expect(read(packet(counts)).malformed).toBe(4 * 0xffff);
    const one = read(packet(counts, question(name("a", "local"))));
    expect(one.message.questions).toEqual([{ name: "a.local", type: types.PTR, unicast: false }]);
    expect(one.malformed).toBe(4 * 0xffff - 1);
  });
});

/** Precedes the other records, so that pointers have a target. */
const before = record(name("first", "local"), types.A, [10, 0, 0, 1]);
const after = record(name("last", "local"), types.A, [10, 0, 0, 2]);
/** Start of the bad record, and of its data if its name is `bad.local` by pointer. */
const badAt = headerBytes + before.length;
const owner = [...label(text("bad")), ...pointer(headerBytes + 6)];
const dataAt = badAt + owner.length + 10;

const longLabel = label(text("x".repeat(63)));
/** 4 * 64 bytes: with the root, two more than a name may have. */
const longName = [...longLabel, ...longLabel, ...longLabel, ...longLabel, 0];

describe("a bad record is dropped, and no other", () => {
  const bad: Readonly<Record<string, Bytes>> = {
    "A of 3 bytes": record(owner, types.A, [10, 0, 0]),
    "A of 5 bytes": record(owner, types.A, [10, 0, 0, 1, 2]),
    "A without data": record(owner, types.A, []),
    "AAAA of 15 bytes": record(owner, types.AAAA, Array(15).fill(1)),
    "AAAA of 17 bytes": record(owner, types.AAAA, Array(17).fill(1)),
    "PTR without data": record(owner, types.PTR, []),
    "PTR to itself": record(owner, types.PTR, pointer(dataAt)),
    "PTR that points forward": record(owner, types.PTR, pointer(dataAt + 2)),
    "PTR in a loop of two": record(owner, types.PTR, [...label(text("a")), ...pointer(dataAt)]),
    "PTR that points behind the packet": record(owner, types.PTR, pointer(0x3fff)),
    "PTR that points into the header": record(owner, types.PTR, pointer(4)),
    "PTR with half a pointer": record(owner, types.PTR, [0xc0]),
    "PTR without an end": record(owner, types.PTR, label(text("a"))),
    "PTR that is longer than its name": record(owner, types.PTR, [...pointer(headerBytes), 0]),
    "PTR whose label ends outside": record(owner, types.PTR, [4, 0x61, 0x61]),
    "PTR whose label is of the reserved type 0x40": record(owner, types.PTR, [0x41, 0x61, 0]),
    "PTR whose label is of the reserved type 0x80": record(owner, types.PTR, [0x81, 0x61, 0]),
    "PTR to a name of 257 bytes": record(owner, types.PTR, longName),
    "PTR to a name that is no UTF-8": record(owner, types.PTR, [...label([0xff, 0xfe]), 0]),
    "PTR to a name with half a character per label": record(owner, types.PTR, [1, 0xc3, 1, 0xa9, 0]),
    "PTR to a name with a surrogate": record(owner, types.PTR, [...label([0xed, 0xa0, 0x80]), 0]),
    "SRV of 5 bytes": record(owner, types.SRV, [0, 0, 0, 0, 31]),
    "SRV without a target": record(owner, types.SRV, [0, 0, 0, 0, 31, 64]),
    "SRV that is longer than its target": record(owner, types.SRV, [0, 0, 0, 0, 31, 64, 0, 0]),
    "TXT whose string ends outside": record(owner, types.TXT, [3, 0x61, 0x62]),
    "TXT whose second string ends outside": record(owner, types.TXT, [1, 0x61, 255, 0x62]),
    "NSEC whose bitmap ends outside": record(owner, types.NSEC, [...pointer(badAt), 0, 4, 0x40]),
    "NSEC whose bitmap has no length": record(owner, types.NSEC, [...pointer(badAt), 0]),
    "NSEC with an empty bitmap": record(owner, types.NSEC, [...pointer(badAt), 0, 0]),
    "NSEC with a bitmap of 33 bytes": record(owner, types.NSEC, [
      ...pointer(badAt),
      0,
      33,
      ...Array(33).fill(1),
    ]),
    "name that points to itself": record(pointer(badAt), types.A, [10, 0, 0, 3]),
    "name that points forward": record(pointer(badAt + 12), types.A, [10, 0, 0, 3]),
    "name of 257 bytes": record(longName, types.A, [10, 0, 0, 3]),
    "name that is no UTF-8": record([...label([0x80]), 0], types.A, [10, 0, 0, 3]),
  };

  test.each(Object.entries(bad))("%s", (_, bytes) => {
    const decoded = read(packet({ answers: 2, additionals: 1 }, before, bytes, after));
    expect(decoded.message.answers).toMatchObject([{ name: "first.local", address: "10.0.0.1" }]);
    expect(decoded.message.additionals).toMatchObject([{ name: "last.local", address: "10.0.0.2" }]);
    expect(decoded.malformed).toBe(1);
  });

  test.each(Object.entries(bad))("%s, at the very end", (_, bytes) => {
    const decoded = read(packet({ answers: 2 }, before, bytes));
    expect(decoded.message.answers).toMatchObject([{ name: "first.local" }]);
    expect(decoded.malformed).toBe(1);
  });

  test("however many there are", () => {
    const parts = Object.values(bad).flatMap((bytes) => [bytes, after]);
    // Their pointers lead elsewhere here; those that are valid by chance have other names.
    const decoded = read(packet({ answers: parts.length }, ...parts));
    const good = decoded.message.answers.filter(({ name: owner }) => owner === "last.local");
    expect(good).toHaveLength(parts.length / 2);
    expect(decoded.message.answers.length + decoded.malformed).toBe(parts.length);
  });

  test("nor is a question lost by a bad one", () => {
    const questions = [question(name("a")), question(pointer(headerBytes + 7)), question(name("b"))];
    const decoded = read(packet({ questions: 3 }, ...questions));
    expect(decoded.message.questions.map((asked) => asked.name)).toEqual(["a", "b"]);
    expect(decoded.malformed).toBe(1);
  });
});

describe("a record whose end cannot be found ends the message", () => {
  test.each<[string, Bytes]>([
    [
      "name of the reserved label type 0x40",
      record([0x41, ...text("a".repeat(0x41)), 0], types.A, [10, 0, 0, 3]),
    ],
    [
      "name of the reserved label type 0x80",
      record([0x81, ...text("a".repeat(0x81)), 0], types.A, [10, 0, 0, 3]),
    ],
    ["data that end behind the packet", record(owner, types.A, [10, 0, 0, 3], { length: 0xffff })],
  ])("%s", (_, bytes) => {
    const decoded = read(packet({ answers: 3, additionals: 2 }, before, bytes, after, after, after));
    expect(decoded.message.answers).toMatchObject([{ name: "first.local" }]);
    expect(decoded.message.additionals).toEqual([]);
    expect(decoded.malformed).toBe(4);
  });
});

describe("names", () => {
  function targetOf(...labels: readonly string[]): string | undefined {
    const [answer] = read(packet({ answers: 1 }, record(name(...labels), types.A, [10, 0, 0, 1]))).message
      .answers;
    return answer?.name;
  }

  test("hold dots, backslashes and any other character", () => {
    expect(targetOf("v1.2\\b", "_tcp", "local")).toBe("v1\\.2\\\\b._tcp.local");
    expect(targetOf("Küche 🦙\0\n", "LOCAL")).toBe("Küche 🦙\0\n.LOCAL");
    expect(targetOf()).toBe("");
  });

  test("of 255 bytes are read, of 256 not, also when pointers make them that long", () => {
    const tail = [...longLabel, ...longLabel, ...longLabel, 0];
    const first = question(tail);
    const fits = question([...label(text("y".repeat(61))), ...pointer(headerBytes)]);
    const tooLong = question([...label(text("y".repeat(62))), ...pointer(headerBytes)]);
    const { message, malformed } = read(packet({ questions: 3 }, first, tooLong, fits));
    expect(message.questions.map((asked) => asked.name.length)).toEqual([191, 253]);
    expect(malformed).toBe(1);
  });

  /** Name that a pointer to these bytes gives; they lie in an earlier record's data. */
  function pointedTo(data: Bytes): string | undefined {
    const carrier = record(name(), types.unassigned, data);
    const reader = record(pointer(carriedAt), types.A, [10, 0, 0, 1]);
    return read(packet({ answers: 1, additionals: 1 }, carrier, reader)).message.additionals[0]?.name;
  }
  const carriedAt = headerBytes + record(name(), types.unassigned, []).length;

  test("may point into any data before", () => {
    expect(pointedTo([...label(text("a")), ...pointer(headerBytes)])).toBe("a");
  });

  test.each<[string, Bytes]>([
    ["to a label of the reserved type 0x40", [0x41, ...text("a".repeat(0x41)), 0]],
    ["to a label of the reserved type 0x80", [0x81, ...text("a".repeat(0x81)), 0]],
    ["to a pointer that leads forward again", [...pointer(carriedAt + 2), ...name("a")]],
    ["to a pointer that leads to itself", pointer(carriedAt)],
    ["to a label that goes on to the packet's end", label(text("a"))],
  ])("may not point %s", (_, data) => {
    expect(pointedTo(data)).toBeUndefined();
  });

  test("follow 127 pointers, and no more", () => {
    const chain = Array.from({ length: 127 }, (_, index) =>
      index === 0 ? pointer(headerBytes) : pointer(headerBytes + 16 + 2 * (index - 1)),
    );
    const carrier = record(name("root"), types.unassigned, chain.flat());
    const at = (index: number): Bytes => pointer(headerBytes + 16 + 2 * index);
    const bytes = packet(
      { questions: 0, answers: 1, additionals: 2 },
      carrier,
      record(at(125), 1, [1, 2, 3, 4]),
      record(at(126), 1, [1, 2, 3, 4]),
    );
    const { message, malformed } = read(bytes);
    expect(message.additionals.map((found) => found.name)).toEqual(["root"]);
    expect(malformed).toBe(1);
  });
});

describe("questions", () => {
  test("may be of any class that has the Internet's records, and of no other", () => {
    const classes = [1, 255, 0x8001, 0x80ff, 3];
    const parts = classes.map((classBits) => question(name("a"), types.A, classBits));
    const { message, malformed } = read(packet({ questions: parts.length }, ...parts));
    expect(message.questions.map(({ unicast }) => unicast)).toEqual([false, false, true, true]);
    expect(malformed).toBe(0);
  });
});

describe("records", () => {
  test("of another class are left out and not counted as malformed", () => {
    const chaos = record(name("version", "bind"), types.TXT, [1, 0x61], { classBits: 3 });
    const edns = record([0], types.OPT, [0, 4, 0, 2, 1, 2], { classBits: 1_440 });
    const decoded = read(packet({ answers: 2, additionals: 2 }, chaos, before, edns, after));
    expect(decoded.message.answers).toMatchObject([{ name: "first.local" }]);
    expect(decoded.message.additionals).toMatchObject([{ name: "last.local" }]);
    expect(decoded.malformed).toBe(0);
  });

  test("outlive the buffer that they came in", () => {
    const txt = record(name("a"), types.TXT, label(text("info=x")));
    const other = record(name("a"), types.unassigned, text("raw"));
    const bytes = Buffer.from(packet({ answers: 2 }, txt, other));
    const { answers } = read(bytes).message;
    bytes.fill(0);
    expect(answers).toMatchObject([
      { type: "TXT", strings: [Uint8Array.from(text("info=x"))] },
      { type: "OTHER", code: 999, data: Uint8Array.from(text("raw")) },
    ]);
  });

  test("are read from a part of a larger buffer", () => {
    const bytes = packet(
      { answers: 2 },
      before,
      record(pointer(headerBytes), types.PTR, pointer(headerBytes)),
    );
    const buffer = Buffer.concat([Buffer.alloc(100, 0xff), bytes, Buffer.alloc(100, 0xff)]);
    expect(decode(buffer.subarray(100, -100))).toEqual(decode(bytes));
    expect(read(bytes).malformed).toBe(0);
  });

  test("of TXT without any string have none", () => {
    expect(read(packet({ answers: 1 }, record(name("a"), types.TXT, []))).message.answers).toMatchObject([
      { type: "TXT", strings: [] },
    ]);
  });
});
