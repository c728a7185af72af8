import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decode } from "../../src/dns/decode.ts";
import { encode } from "../../src/dns/encode.ts";
import type { Message } from "../../src/dns/record.ts";
import { anyParts, itemsOf, messageOf, packetSize, reassemble, recordsOf } from "./arbitraries.ts";

const options = fc.record({ maxBytes: packetSize, compressServiceTargets: fc.boolean() });

function read(packet: Uint8Array): Message {
  const decoded = decode(packet);
  expect(decoded?.malformed).toBe(0);
  if (!decoded) throw new Error("a packet without a header");
  return decoded.message;
}

describe("any message", () => {
  test("is read as it was written, in one packet or in several", () => {
    fc.assert(
      fc.property(messageOf(anyParts), options, (message, how) => {
        const whole = reassemble(encode(message, how).map(read));
        const additionals = message.additionals.slice(0, whole.additionals.length);
        expect(whole).toEqual({ ...message, additionals });
      }),
    );
  });

  test("leaves out only additional records, and only those that do not fit", () => {
    fc.assert(
      fc.property(messageOf(anyParts), options, (message, how) => {
        const packets = encode(message, how);
        const lost = message.additionals.length - reassemble(packets.map(read)).additionals.length;
        const [roomy] = encode({ ...message, additionals: [] }, { ...how, maxBytes: 8_952 });
        const all = encode(message, { ...how, maxBytes: 8_952 })[0]?.length ?? 0;
        if (all <= how.maxBytes) expect(lost).toBe(0);
        if (lost === 0 && packets.length === 1 && roomy)
          expect(packets[0]?.length).toBeGreaterThanOrEqual(roomy.length);
      }),
    );
  });

  test("fits its packets, but for a single item that is longer", () => {
    fc.assert(
      fc.property(messageOf(anyParts), options, (message, how) => {
        for (const packet of encode(message, how)) {
          const alone = itemsOf(read(packet)).length === 1;
          if (packet.length > Math.max(how.maxBytes, 12)) expect(alone).toBe(true);
        }
      }),
    );
  });

  test("is split only when it does not fit, and into packets that each hold something", () => {
    fc.assert(
      fc.property(messageOf(anyParts), options, (message, how) => {
        const packets = encode(message, how);
        const [first, ...more] = encode(message, { ...how, maxBytes: 8_952 });
        if (first && more.length === 0 && first.length <= how.maxBytes) expect(packets).toEqual([first]);
        if (packets.length > 1) {
          for (const packet of packets) expect(itemsOf(read(packet))).not.toEqual([]);
        }
      }),
    );
  });

  test("asks first, and says that known answers follow for as long as some do", () => {
    fc.assert(
      fc.property(messageOf(anyParts), options, (message, how) => {
        const parts = encode(message, how).map(read);
        const lastAsking = parts.findLastIndex(({ questions }) => questions.length > 0);
        const firstTelling = parts.findIndex((part) => recordsOf(part).length > 0);
        const lastTelling = parts.findLastIndex((part) => recordsOf(part).length > 0);
        if (firstTelling >= 0) expect(lastAsking).toBeLessThanOrEqual(firstTelling);
        for (const [index, { truncated }] of parts.entries()) {
          const moreToCome = message.truncated || index < lastTelling;
          expect(truncated).toBe(moreToCome && !message.response);
        }
      }),
    );
  });
});
