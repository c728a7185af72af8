import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign as signBytes,
  verify as verifyBytes,
} from "node:crypto";
import type { NodeKey } from "@lmserv/discovery-core/transport";
import { PublicKeys } from "./public-keys.ts";

export interface SignedMessage {
  readonly publicKey: string;
  /** The exact text (as UTF-8) or bytes that were signed. */
  readonly bytes: string | Uint8Array;
  readonly signature: string;
}

/** 128 bits: to claim somebody's identity takes as much work as to find its key. */
const idBytes = 16;
/** At the end of its SubjectPublicKeyInfo (RFC 8410 section 4). */
const publicKeyBytes = 32;
const signatureText = /^[A-Za-z0-9_-]{86}$/;
/** One for the process: what a key says does not depend on who asks. */
const publicKeys = new PublicKeys();

/** Makes a new key. */
export function generateNodeKey(): NodeKey {
  return nodeKeyOf(generateKeyPairSync("ed25519").privateKey);
}

/**
 * Reads a key that `exportNodeKey` wrote.
 *
 * @throws {TypeError} when it is not the PEM of an Ed25519 private key.
 */
export function importNodeKey(pem: string): NodeKey {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch (error) {
    throw new TypeError("a node key must be the PEM of an Ed25519 private key", { cause: error });
  }
  if (key.asymmetricKeyType === "ed25519") return nodeKeyOf(key);
  throw new TypeError(`a node key must be an Ed25519 private key, not ${key.asymmetricKeyType}`);
}

/** A new private key as PEM (PKCS #8), for `importNodeKey`. */
export function generateNodeKeyPem(): string {
  return generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

/** The identity of a public key: the first 128 bits of its SHA-256 in lower-case hexadecimal. */
export function idOf(publicKey: string): string {
  const digest = createHash("sha256").update(Buffer.from(publicKey, "base64url")).digest();
  return digest.subarray(0, idBytes).toString("hex");
}

/** Whether the holder of the key signed exactly this; false also for what is no key or no signature. */
export function verifySignature({ publicKey, bytes, signature }: SignedMessage): boolean {
  if (!signatureText.test(signature)) return false;
  const key = publicKeys.read(publicKey);
  if (!key) return false;
  try {
    return verifyBytes(null, toBytes(bytes), key, Buffer.from(signature, "base64url"));
  } catch {
    // Bytes that are no point of the curve.
    return false;
  }
}

/** How keys are named, and signatures checked. */
export interface SignatureScheme {
  /** The id of a public key. */
  idOf(publicKey: string): string;
  verify(message: SignedMessage): boolean;
}

export const ed25519: SignatureScheme = { idOf, verify: verifySignature };

/** Not exported as a JWK: Node 20 waits for ever where it collects another key during that. */
function nodeKeyOf(key: KeyObject): NodeKey {
  const spki = createPublicKey(key).export({ format: "der", type: "spki" });
  const publicKey = spki.subarray(-publicKeyBytes).toString("base64url");
  return {
    id: idOf(publicKey),
    publicKey,
    sign: (bytes) => signBytes(null, toBytes(bytes), key).toString("base64url"),
  };
}

function toBytes(bytes: string | Uint8Array): Uint8Array {
  return typeof bytes === "string" ? Buffer.from(bytes) : bytes;
}
