import { describe, expect, test } from "vitest";
import { decode } from "../../src/dns/decode.ts";
import { encode, encodeData, maxPacketBytes } from "../../src/dns/encode.ts";
import {
  type Message,
  query,
  type RecordData,
  type ResourceRecord,
  recordTypes,
  response,
} from "../../src/dns/record.ts";

const options = { maxBytes: maxPacketBytes };
const type = "_lmserv._tcp.local";

function record(data: RecordData, name = "a.local"): ResourceRecord {
  return { name, ttlS: 120, flush: false, ...data };
}

function pointers(count: number): ResourceRecord[] {
  return Array.from({ length: count }, (_, index) =>
    record({ type: "PTR", target: `box-${String(index).padStart(4, "0")}.${type}` }, type),
  );
}

function read(packet: Uint8Array): Message {
  return decode(packet)?.message ?? query({});
}

function hex(message: Message, compressServiceTargets = true): string {
  const [packet] = encode(message, { ...options, compressServiceTargets });
  return Buffer.from(packet?.subarray(12) ?? []).toString("hex");
}

function occurrences(text: string, part: string): number {
  return text.split(Buffer.from(part).toString("hex")).length - 1;
}

describe("a query", () => {
  test("whose known answers do not fit goes on in packets that hold nothing else", () => {
    const questions = [{ name: type, type: recordTypes.PTR, unicast: false }];
    const answers = pointers(300);
    const packets = encode(query({ questions, answers }), options);
    const parts = packets.map(read);
    expect(packets.length).toBeGreaterThan(3);
    expect(packets.every(({ length }) => length <= maxPacketBytes)).toBe(true);
    expect(parts.map((part) => part.questions.length)).toEqual([1, ...parts.slice(1).map(() => 0)]);
    expect(parts.map(({ truncated }) => truncated)).toEqual([...parts.slice(1).map(() => true), false]);
    expect(parts.flatMap((part) => part.answers)).toEqual(answers);
  });

  test("with more questions than fit asks in several packets, none of which announces answers", () => {
    const questions = pointers(2_000).map((_, index) => ({
      name: `box-${index}.${type}`,
      type: recordTypes.SRV,
      unicast: true,
    }));
    const packets = encode(query({ questions }), options);
    const parts = packets.map(read);
    expect(packets.every(({ length }) => length <= maxPacketBytes)).toBe(true);
    expect(parts.flatMap((part) => part.questions)).toEqual(questions);
    expect(parts.some(({ truncated }) => truncated)).toBe(false);
  });

  test("with more questions than fit and known answers announces these from the start", () => {
    const questions = pointers(100).map(({ name }) => ({ name, type: recordTypes.PTR, unicast: false }));
    const parts = encode(query({ questions, answers: pointers(1) }), { maxBytes: 512 }).map(read);
    expect(parts.map(({ truncated }) => truncated)).toEqual([true, false]);
    expect(parts.map(({ answers }) => answers.length)).toEqual([0, 1]);
  });
});

describe("a response", () => {
  test("is split without being marked truncated", () => {
    const packets = encode(response({ truncated: true, answers: pointers(300) }), options);
    expect(packets.length).toBeGreaterThan(1);
    expect(packets.map(read).some(({ truncated }) => truncated)).toBe(false);
  });

  test("is authoritative, as a query is not", () => {
    expect(encode(response({}), options)).toEqual([Uint8Array.from([0, 0, 0x84, 0, 0, 0, 0, 0, 0, 0, 0, 0])]);
    expect(encode(query({}), options)).toEqual([new Uint8Array(12)]);
  });

  test("puts a record that is longer than a packet into one of its own", () => {
    const long = record({ type: "OTHER", code: 999, data: new Uint8Array(3_000) });
    const packets = encode(response({ answers: [...pointers(2), long, ...pointers(2)] }), options);
    expect(packets.map((packet) => read(packet).answers.length)).toEqual([2, 1, 2]);
  });

  test("fills a packet to its last byte", () => {
    const answers = pointers(5);
    const [whole = new Uint8Array()] = encode(response({ answers }), options);
    expect(encode(response({ answers }), { maxBytes: whole.length })).toEqual([whole]);
    const parts = encode(response({ answers }), { maxBytes: whole.length - 1 }).map(read);
    expect(parts.map((part) => part.answers.length)).toEqual([4, 1]);
  });

  test("of records that fill the longest packets is split as any other", () => {
    const half = record({ type: "OTHER", code: 999, data: new Uint8Array(5_000) });
    const packets = encode(response({ answers: [half, half, half] }), { maxBytes: 8_952 });
    expect(packets.map((packet) => read(packet).answers.length)).toEqual([1, 1, 1]);
  });
});

describe("names", () => {
  const answers: ResourceRecord[] = [
    record({ type: "PTR", target: `Box.${type}` }, type),
    record({ type: "SRV", priority: 0, weight: 0, port: 8_000, target: "host.local" }, `Box.${type}`),
    record({ type: "NSEC", next: "host.local", types: [1] }, "host.local"),
  ];

  test("are compressed in the data of PTR, SRV and NSEC records too", () => {
    const written = hex(response({ answers }));
    expect(occurrences(written, "local")).toBe(1);
    expect(occurrences(written, "Box")).toBe(1);
    expect(occurrences(written, "host")).toBe(1);
  });

  test("are written in full in SRV records for queriers that know only unicast DNS", () => {
    const written = hex(response({ answers }), false);
    expect(written).toContain(Buffer.from("\x04host\x05local\0").toString("hex"));
    expect(occurrences(written, "local")).toBe(2);
    expect(occurrences(written, "host")).toBe(1);
  });

  test("keep their case", () => {
    const names = ["Box.local", "box.LOCAL", "BOX.local"];
    const questions = names.map((name) => ({ name, type: recordTypes.A, unicast: false }));
    expect(encode(query({ questions }), options).map(read)).toEqual([query({ questions })]);
  });

  test("whose labels hold a zero or a dot are not taken for others", () => {
    const names = ["a.b.local", "a\0b.local", "a\\.b.local", "a\\\\.b.local"];
    const questions = names.map((name) => ({ name, type: recordTypes.A, unicast: false }));
    expect(encode(query({ questions }), options).map(read)).toEqual([query({ questions })]);
  });

  test("that were written into a packet in vain are not pointed to", () => {
    const target = `${"x".repeat(60)}.local`;
    const fill = record({ type: "OTHER", code: 999, data: new Uint8Array(420) });
    const late = record({ type: "PTR", target }, target);
    const parts = encode(response({ answers: [fill, late], additionals: [late] }), { maxBytes: 512 }).map(
      read,
    );
    expect(parts).toEqual([
      response({ answers: [fill] }),
      response({ answers: [late], additionals: [late] }),
    ]);
  });
});

describe("data", () => {
  test("of a TXT record without strings are one empty string", () => {
    expect(encodeData({ type: "TXT", strings: [] })).toEqual(Uint8Array.from([0]));
  });

  test("of an NSEC record without types have no block", () => {
    expect(encodeData({ type: "NSEC", next: "a", types: [] })).toEqual(Uint8Array.from([1, 0x61, 0]));
  });

  test("of an NSEC record are as short as can be", () => {
    const data = encodeData({ type: "NSEC", next: "", types: [recordTypes.TXT, recordTypes.SRV] });
    expect(data).toEqual(Uint8Array.from([0, 0, 5, 0, 0, 0x80, 0, 0x40]));
  });

  test("for breaking ties hold no pointer", () => {
    const data = encodeData({ type: "SRV", priority: 0, weight: 1, port: 258, target: "a.a.local" });
    expect(Buffer.from(data).toString("latin1")).toBe("\0\0\0\x01\x01\x02\x01a\x01a\x05local\0");
  });

  test.each([
    ["::", "::"],
    ["::1", "::1"],
    ["FE80:0:0:0:AFF:FE4D::3", "fe80::aff:fe4d:0:3"],
    ["fe80::1%eth0", "fe80::1"],
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["::ffff:10.77.0.1", "::ffff:a4d:1"],
  ])("of an AAAA record for %s are read as %s", (address, read6) => {
    const [packet] = encode(response({ answers: [record({ type: "AAAA", address })] }), options);
    expect(decode(packet ?? new Uint8Array())?.message.answers).toMatchObject([{ address: read6 }]);
  });
});

describe("what DNS cannot hold is refused", () => {
  const srv = { type: "SRV", priority: 0, weight: 0, port: 1, target: "a" } as const;
  const refused: readonly (readonly [string, ResourceRecord, string])[] = [
    [
      "a label of 64 bytes",
      record({ type: "PTR", target: `${"é".repeat(32)}.local` }),
      "takes 64 bytes; at most 63",
    ],
    [
      "a name of 256 bytes",
      record({ type: "PTR", target: `${"x".repeat(63)}.`.repeat(3) + "y".repeat(62) }),
      "takes 256 bytes; at most 255",
    ],
    [
      "a TXT string of 256 bytes",
      record({ type: "TXT", strings: [new Uint8Array(256)] }),
      "256 bytes; at most 255",
    ],
    ["an NSEC type above 255", record({ type: "NSEC", next: "a", types: [1, 257] }), "type 257"],
    ["a port above 65535", record({ ...srv, port: 65_536 }), "65536 must be an integer from 0 to 65535"],
    ["a negative weight", record({ ...srv, weight: -1 }), "-1 must be"],
    ["a broken lifetime", { ...record(srv), ttlS: 0.5 }, "0.5 must be an integer from 0 to 4294967295"],
    ["a lifetime of 2^32", { ...record(srv), ttlS: 2 ** 32 }, "4294967296 must be"],
    ["an A record of three numbers", record({ type: "A", address: "10.77.1" }), '"10.77.1" must be an IPv4'],
    ["an A record of a name", record({ type: "A", address: "localhost" }), '"localhost" must be an IPv4'],
    [
      "an AAAA record of a name",
      record({ type: "AAAA", address: "localhost" }),
      '"localhost" must be an IPv6',
    ],
    ["an AAAA record of IPv4", record({ type: "AAAA", address: "10.0.0.1" }), '"10.0.0.1" must be an IPv6'],
    ["data of 9,000 bytes", record({ type: "OTHER", code: 9, data: new Uint8Array(9_000) }), "at most 8952"],
  ];

  test.each(refused)("%s", (_, answer, message) => {
    expect(() => encode(response({ answers: [answer] }), options)).toThrow(RangeError);
    expect(() => encode(response({ answers: [answer] }), options)).toThrow(message);
  });

  test("but a name of 255 bytes is not", () => {
    const name = `${"x".repeat(63)}.`.repeat(3) + "y".repeat(61);
    const [packet] = encode(query({ questions: [{ name, type: recordTypes.A, unicast: false }] }), options);
    expect(packet).toHaveLength(12 + 255 + 4);
  });
});
