import dnsPacket from "dns-packet";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decode } from "../../src/dns/decode.ts";
import { encode } from "../../src/dns/encode.ts";
import { type Message, type Question, type ResourceRecord, recordTypes } from "../../src/dns/record.ts";
import { anyParts, type MessageParts, messageOf, plainLabel } from "./arbitraries.ts";

/** Parts that both codecs support: no dots in labels, only named types, no unicast questions. */
const sharedParts: MessageParts = {
  label: plainLabel,
  questionType: fc.constantFrom(...Object.values(recordTypes)),
  otherCode: fc.constant(10),
  nsecType: fc.constantFrom(1, 2, 5, 12, 16, 28, 33, 47),
  unicast: fc.constant(false),
};

const nameOfType = new Map<number, string>([
  ...Object.entries(recordTypes).map(([name, code]) => [code, name] as const),
  [2, "NS"],
  [5, "CNAME"],
  [10, "NULL"],
]);

interface OracleRecord {
  readonly name: string;
  readonly type: string;
  readonly ttl: number;
  readonly flush: boolean;
  readonly data: unknown;
}

interface OracleMessage {
  readonly id: number;
  readonly type: "query" | "response";
  readonly flags: number;
  readonly questions: readonly { readonly name: string; readonly type: string; readonly class: string }[];
  readonly answers: readonly OracleRecord[];
  readonly authorities: readonly OracleRecord[];
  readonly additionals: readonly OracleRecord[];
}

function oracleName(name: string): string {
  return name === "" ? "." : name;
}

function oracleQuestion({ name, type }: Question): OracleMessage["questions"][number] {
  return { name: oracleName(name), type: nameOfType.get(type) ?? "", class: "IN" };
}

function oracleData(record: ResourceRecord): unknown {
  switch (record.type) {
    case "A":
    case "AAAA":
      return record.address;
    case "PTR":
      return oracleName(record.target);
    case "SRV": {
      const { priority, weight, port, target } = record;
      return { priority, weight, port, target: oracleName(target) };
    }
    case "TXT":
      return record.strings.map((string) => Buffer.from(string));
    case "NSEC":
      return {
        nextDomain: oracleName(record.next),
        rrtypes: record.types.map((type) => nameOfType.get(type)),
      };
    case "OTHER":
      return Buffer.from(record.data);
  }
}

function oracleRecord(record: ResourceRecord): OracleRecord {
  return {
    name: oracleName(record.name),
    type: record.type === "OTHER" ? "NULL" : record.type,
    ttl: record.ttlS,
    flush: record.flush,
    data: oracleData(record),
  };
}

function oracleMessage(message: Message): OracleMessage {
  const { id, response, truncated, opcode, rcode } = message;
  return {
    id,
    type: response ? "response" : "query",
    flags: (response ? dnsPacket.AUTHORITATIVE_ANSWER : 0) | (opcode << 11) | (truncated ? 0x200 : 0) | rcode,
    questions: message.questions.map(oracleQuestion),
    answers: message.answers.map(oracleRecord),
    authorities: message.authorities.map(oracleRecord),
    additionals: message.additionals.map(oracleRecord),
  };
}

function oracleEncode(message: Message): Buffer {
  // Its types know neither raw data nor every name of a type.
  return dnsPacket.encode(oracleMessage(message) as unknown as dnsPacket.Packet);
}

describe("dns-packet, another codec", () => {
  test("reads what we write", () => {
    fc.assert(
      fc.property(messageOf(sharedParts), (message) => {
        const packets = encode(message, { maxBytes: 8_952 });
        fc.pre(packets.length === 1);
        expect(packets.map((packet) => dnsPacket.decode(Buffer.from(packet)))).toMatchObject([
          oracleMessage(message),
        ]);
      }),
    );
  });

  test("writes what we read", () => {
    fc.assert(
      fc.property(messageOf(sharedParts), (message) => {
        expect(decode(oracleEncode(message))).toEqual({ message, malformed: 0 });
      }),
    );
  });

  test("is not needed to be as short as we are", () => {
    fc.assert(
      fc.property(messageOf(sharedParts), (message) => {
        const [packet] = encode(message, { maxBytes: 8_952 });
        expect(packet?.length).toBeLessThanOrEqual(oracleEncode(message).length);
      }),
    );
  });

  test("follows every pointer of ours, all of which lead back", () => {
    const parts = { ...anyParts, otherCode: fc.integer({ min: 0xff00, max: 0xfffe }) };
    fc.assert(
      fc.property(messageOf(parts), fc.boolean(), (message, compressServiceTargets) => {
        for (const packet of encode(message, { maxBytes: 1_452, compressServiceTargets })) {
          expect(() => dnsPacket.decode(Buffer.from(packet))).not.toThrow();
        }
      }),
    );
  });

  test("writes NSEC types above 255, which we pass over", () => {
    const packet = dnsPacket.encode({
      type: "response",
      answers: [
        { type: "NSEC", name: "a.local", data: { nextDomain: "a.local", rrtypes: ["A", "CAA", "DLV"] } },
      ],
    });
    expect(decode(packet)?.message.answers).toMatchObject([{ type: "NSEC", types: [1] }]);
  });
});
