import { parseHostHeader } from "@lmserv/discovery-network";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dialerHandshake, type Handshake, listenerHandshake } from "../../src/link/handshake.ts";
import { readHello } from "../../src/link/handshake-hello.ts";
import { isMeshUrl } from "../../src/link/mesh-url.ts";
import { Refusal } from "../../src/link/refusal.ts";
import { party } from "./site.ts";

const channel = { binding: new Uint8Array(), remoteAddress: "10.0.0.7" };
const nonce = "n".repeat(43);
/** Whatever, JSON of any shape, and objects with the right names and anything in them. */
const words = fc.oneof(
  fc.string(),
  fc.json(),
  fc
    .record({
      nonce: fc.oneof(fc.constant(nonce), fc.anything()),
      proof: fc.oneof(
        fc.record({ key: fc.string(), cluster: fc.string(), channel: fc.string() }),
        fc.anything(),
      ),
      introduction: fc.oneof(fc.string(), fc.json()),
      signature: fc.anything(),
    })
    .map((value) => JSON.stringify(value, (_, part) => (typeof part === "bigint" ? `${part}` : part)) ?? ""),
);

function expectRefusal(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(Refusal);
    return;
  }
  throw new Error("nothing was refused");
}

describe("what a stranger says", () => {
  it("is refused at every stage, and never more than that", () => {
    const stages: readonly (() => Handshake)[] = [
      () => {
        const handshake = listenerHandshake(party(), channel);
        handshake.next();
        return handshake;
      },
      () => {
        const handshake = dialerHandshake(party(), channel);
        handshake.next();
        handshake.next(JSON.stringify({ nonce }));
        return handshake;
      },
    ];
    fc.assert(
      fc.property(words, (text) => {
        for (const stage of stages) {
          const handshake = stage();
          expectRefusal(() => handshake.next(text));
        }
        expectRefusal(() => readHello(text));
      }),
    );
  });

  it("is no URL and no host, or a proper one", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.webUrl(), fc.ipV6()), (text) => {
        expect(typeof isMeshUrl(text)).toBe("boolean");
        expect(parseHostHeader(text) ?? "").toMatch(/^[a-z0-9._:-]*$/);
      }),
    );
  });
});
