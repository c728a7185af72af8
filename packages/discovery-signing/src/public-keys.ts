import { createPublicKey, type KeyObject } from "node:crypto";

/** Twice the members of a mesh; a flood of forged keys only makes others be parsed again. */
const maxKeys = 512;
const publicKeyText = /^[A-Za-z0-9_-]{43}$/;

/** Parsed public keys: parsing takes a third of the time of a verification. */
export class PublicKeys {
  /** Least recently used first. */
  readonly #keys = new Map<string, KeyObject>();

  /** Null for an invalid key. */
  read(text: string): KeyObject | null {
    const key = this.#keys.get(text) ?? keyOf(text);
    if (!key) return null;
    this.#keys.delete(text);
    this.#keys.set(text, key);
    const [oldest] = this.#keys.keys();
    if (this.#keys.size > maxKeys && oldest !== undefined) this.#keys.delete(oldest);
    return key;
  }
}

/** True if the text can be a public key: 32 bytes in their only spelling. */
export function isPublicKey(text: string): boolean {
  return publicKeyText.test(text) && Buffer.from(text, "base64url").toString("base64url") === text;
}

function keyOf(publicKey: string): KeyObject | null {
  if (!isPublicKey(publicKey)) return null;
  try {
    return createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: publicKey }, format: "jwk" });
  } catch {
    return null;
  }
}
