import { createHash, createPublicKey, verify } from "node:crypto";
import { isNodeId } from "@lmserv/discovery-core/transport";
import { describe, expect, test } from "vitest";
import {
  generateNodeKey,
  generateNodeKeyPem,
  idOf,
  importNodeKey,
  isPublicKey,
  verifySignature,
} from "../src/index.ts";

describe("a node key", () => {
  test("is named by the hash of its public key", () => {
    const { id, publicKey } = generateNodeKey();
    const hash = createHash("sha256").update(Buffer.from(publicKey, "base64url")).digest("hex");
    expect(id).toBe(hash.slice(0, 32));
    expect(idOf(publicKey)).toBe(id);
    expect(isNodeId(id)).toBe(true);
  });

  test("signs as any implementation of Ed25519 understands", () => {
    const key = generateNodeKey();
    const jwk = { kty: "OKP", crv: "Ed25519", x: key.publicKey };
    const signature = Buffer.from(key.sign("grüße"), "base64url");
    expect(verify(null, Buffer.from("grüße"), createPublicKey({ key: jwk, format: "jwk" }), signature)).toBe(
      true,
    );
  });

  test("is the same after it was written and read", () => {
    const pem = generateNodeKeyPem();
    const [first, second] = [importNodeKey(pem), importNodeKey(pem)];
    expect(first.id).toBe(second.id);
    const signature = first.sign("message");
    expect(verifySignature({ publicKey: second.publicKey, bytes: "message", signature })).toBe(true);
  });

  test.each(["", "rubbish", "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n"])(
    "cannot be read from %j",
    (pem) => {
      expect(() => importNodeKey(pem)).toThrow(TypeError);
    },
  );
});

describe("a signature", () => {
  const key = generateNodeKey();
  const signed = { publicKey: key.publicKey, bytes: "message", signature: key.sign("message") };

  test("holds for text and for its bytes", () => {
    expect(verifySignature(signed)).toBe(true);
    expect(verifySignature({ ...signed, bytes: Buffer.from("message") })).toBe(true);
  });

  test.each([
    ["another message", { bytes: "massage" }],
    ["another key", { publicKey: generateNodeKey().publicKey }],
    ["another signature", { signature: key.sign("massage") }],
    ["a key cut short", { publicKey: key.publicKey.slice(1) }],
    ["a signature cut short", { signature: signed.signature.slice(1) }],
    ["nothing", { publicKey: "", signature: "" }],
    ["what is no point of the curve", { publicKey: Buffer.alloc(32, 2).toString("base64url") }],
  ])("does not hold for %s", (_, changed) => {
    expect(verifySignature({ ...signed, ...changed })).toBe(false);
  });

  test("holds however many others were looked at meanwhile", () => {
    for (let count = 0; count < 600; count += 1) {
      const { publicKey } = generateNodeKey();
      expect(verifySignature({ ...signed, publicKey })).toBe(false);
    }
    expect(verifySignature(signed)).toBe(true);
  });

  test("has a key that can be written in one way only", () => {
    const last = key.publicKey.at(-1) ?? "";
    const sloppy = String.fromCharCode(last.charCodeAt(0) + 1);
    expect(isPublicKey(key.publicKey)).toBe(true);
    expect(isPublicKey(key.publicKey.slice(0, -1) + sloppy)).toBe(false);
  });
});
