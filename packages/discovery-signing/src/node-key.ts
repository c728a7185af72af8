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
  /** Signed text (as UTF-8) or bytes, exactly. */
  readonly bytes: string | Uint8Array;
  readonly signature: string;
}

/** 128 bits: claiming another identity takes as much work as finding its key. */
const idBytes = 16;
/** Length at the end of the SubjectPublicKeyInfo (RFC 8410 section 4). */
const publicKeyBytes = 32;
const signatureText = /^[A-Za-z0-9_-]{86}$/;
/** Shared by the process: a key's meaning does not depend on the caller. */
const publicKeys = new PublicKeys();

export function generateNodeKey(): NodeKey {
  return nodeKeyOf(generateKeyPairSync("ed25519").privateKey);
}

/**
 * Reads a key written by `exportNodeKey`.
 *
 * @throws {TypeError} if it is not the PEM of an Ed25519 private key.
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

/** New private key as PEM (PKCS #8), for `importNodeKey`. */
export function generateNodeKeyPem(): string {
  return generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

/** Identity of a public key: the first 128 bits of its SHA-256 in lower-case hexadecimal. */
export function idOf(publicKey: string): string {
  const digest = createHash("sha256").update(Buffer.from(publicKey, "base64url")).digest();
  return digest.subarray(0, idBytes).toString("hex");
}

/** True if the holder of the key signed exactly these bytes; false also for an invalid key or signature. */
export function verifySignature({ publicKey, bytes, signature }: SignedMessage): boolean {
  if (!signatureText.test(signature)) return false;
  const key = publicKeys.read(publicKey);
  if (!key) return false;
  try {
    return verifyBytes(null, toBytes(bytes), key, Buffer.from(signature, "base64url"));
  } catch {
    // The bytes are no point of the curve.
    return false;
  }
}

/** Naming of keys and checking of signatures. */
export interface SignatureScheme {
  idOf(publicKey: string): string;
  verify(message: SignedMessage): boolean;
}

export const ed25519: SignatureScheme = { idOf, verify: verifySignature };

/** Not exported as a JWK: Node 20 deadlocks if it collects another key meanwhile. */
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
