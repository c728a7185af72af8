import { createPublicKey, type KeyObject } from "node:crypto";

/** Twice as many as a mesh has members; whoever sends made-up keys makes others be read again, and no more. */
const maxKeys = 512;
const publicKeyText = /^[A-Za-z0-9_-]{43}$/;

/** Public keys as the system wants them, which takes a third of the time of a verification to make. */
export class PublicKeys {
  /** The least recently used first. */
  readonly #keys = new Map<string, KeyObject>();

  /** Null for what is no key. */
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

/** Whether the text can be a public key: 32 bytes, written in the one way there is. */
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
