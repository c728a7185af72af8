import fc from "fast-check";
import { joinLabels, type Name } from "../../src/dns/name.ts";
import type { Message, Question, RecordData, ResourceRecord } from "../../src/dns/record.ts";

/** Characters that some DNS code gets wrong, of 1 to 4 bytes. */
const awkward = fc.constantFrom("a", "A", "z", ".", "\\", " ", "\0", "\n", "=", "é", "日", "🦙", "\ufeff");

/** A label of 1 to 63 bytes. */
export const label: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom("local", "LOCAL", "_tcp", "_lmserv"),
  fc.string({ unit: awkward, minLength: 1, maxLength: 15 }),
  fc.string({ unit: "binary", minLength: 1, maxLength: 15 }),
  fc.string({ unit: "binary-ascii", minLength: 1, maxLength: 63 }),
);

/** A label that text can hold without escapes. */
export const plainLabel: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom("local", "LOCAL", "_tcp", "_lmserv"),
  fc.string({ unit: fc.constantFrom("a", "B", "7", "-", " ", "é", "日", "🦙"), minLength: 1, maxLength: 15 }),
);

function wireBytes(labels: readonly string[]): number {
  return labels.reduce((sum, text) => sum + Buffer.byteLength(text) + 1, 1);
}

/** A name of at most 255 bytes on the wire, often with an end that others have too. */
function nameOf(labels: fc.Arbitrary<string>): fc.Arbitrary<Name> {
  const end = fc.constantFrom(
    [],
    ["local"],
    ["_lmserv", "_tcp", "local"],
    ["Box", "_lmserv", "_tcp", "local"],
  );
  return fc
    .tuple(fc.array(labels, { maxLength: 5 }), end)
    .map((parts) => parts.flat())
    .filter((parts) => wireBytes(parts) <= 255)
    .map(joinLabels);
}

const uint16 = fc.integer({ min: 0, max: 0xffff });
const ipv6 = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((bytes) => Buffer.from(bytes).toString("hex").match(/.{4}/g) ?? [])
  .map((groups) => new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1));

const definedCodes = [1, 12, 16, 28, 33, 47];
const otherCode = uint16.filter((code) => !definedCodes.includes(code));

/** Parts of a message: characters of names, and codes outside ours. */
export interface MessageParts {
  readonly label: fc.Arbitrary<string>;
  readonly questionType: fc.Arbitrary<number>;
  readonly otherCode: fc.Arbitrary<number>;
  readonly nsecType: fc.Arbitrary<number>;
  readonly unicast: fc.Arbitrary<boolean>;
}

export const anyParts: MessageParts = {
  label,
  questionType: uint16,
  otherCode,
  nsecType: fc.integer({ min: 0, max: 255 }),
  unicast: fc.boolean(),
};

function dataOf({ label, otherCode, nsecType }: MessageParts): fc.Arbitrary<RecordData> {
  const target = nameOf(label);
  const types = fc.uniqueArray(nsecType, { maxLength: 8 }).map((codes) => codes.sort((a, b) => a - b));
  const string = fc.uint8Array({ maxLength: 255 });
  return fc.oneof(
    fc.record({ type: fc.constant("A" as const), address: fc.ipV4() }),
    fc.record({ type: fc.constant("AAAA" as const), address: ipv6 }),
    fc.record({ type: fc.constant("PTR" as const), target }),
    fc.record({
      type: fc.constant("SRV" as const),
      priority: uint16,
      weight: uint16,
      port: uint16,
      target,
    }),
    fc.record({
      type: fc.constant("TXT" as const),
      strings: fc.array(string, { minLength: 1, maxLength: 4 }),
    }),
    fc.record({ type: fc.constant("NSEC" as const), next: target, types }),
    fc.record({
      type: fc.constant("OTHER" as const),
      code: otherCode,
      data: fc.uint8Array({ maxLength: 300 }),
    }),
  );
}

function recordOf(parts: MessageParts): fc.Arbitrary<ResourceRecord> {
  const head = fc.record({
    name: nameOf(parts.label),
    ttlS: fc.oneof(
      fc.constantFrom(0, 120, 4_500, 2 ** 31, 2 ** 32 - 1),
      fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    ),
    flush: fc.boolean(),
  });
  return fc.tuple(head, dataOf(parts)).map(([name, data]) => ({ ...name, ...data }));
}

function questionOf({ label, questionType, unicast }: MessageParts): fc.Arbitrary<Question> {
  return fc.record({ name: nameOf(label), type: questionType, unicast });
}

/** Message that can be sent: only queries are truncated (RFC 6762 section 18.5). */
export function messageOf(parts: MessageParts): fc.Arbitrary<Message> {
  const records = fc.array(recordOf(parts), { maxLength: 6 });
  return fc
    .record({
      id: uint16,
      response: fc.boolean(),
      truncated: fc.boolean(),
      opcode: fc.integer({ min: 0, max: 15 }),
      rcode: fc.integer({ min: 0, max: 15 }),
      questions: fc.array(questionOf(parts), { maxLength: 6 }),
      answers: records,
      authorities: records,
      additionals: records,
    })
    .map((message) => ({ ...message, truncated: message.truncated && !message.response }));
}

/** A packet size that some of these messages exceed and others do not. */
export const packetSize: fc.Arbitrary<number> = fc.oneof(
  fc.constantFrom(512, 1_452, 8_952),
  fc.integer({ min: 12, max: 8_952 }),
);

export function recordsOf({ answers, authorities, additionals }: Message): ResourceRecord[] {
  return [...answers, ...authorities, ...additionals];
}

export function itemsOf(message: Message): (Question | ResourceRecord)[] {
  return [...message.questions, ...recordsOf(message)];
}

/** Joins the packets of a split message; the last packet decides on the TC bit. */
export function reassemble(parts: readonly Message[]): Message {
  const last = parts.at(-1);
  if (!last) throw new TypeError("a message takes one packet at least");
  return {
    ...last,
    questions: parts.flatMap(({ questions }) => questions),
    answers: parts.flatMap(({ answers }) => answers),
    authorities: parts.flatMap(({ authorities }) => authorities),
    additionals: parts.flatMap(({ additionals }) => additionals),
  };
}
