import type { NodeKey } from "@lmserv/discovery-core/transport";
import { ed25519, type SignatureScheme } from "./node-key.ts";
import { type MemberRecord, maxRecordBytes, readRecord } from "./record.ts";
import { ShapeError } from "./shape.ts";

/** Signed record; another member that passes it on can withhold it, but not change it. */
export interface SignedRecord {
  /** Signed JSON text, byte for byte. */
  readonly text: string;
  /** Key of the signer; the record's `id` is its hash. */
  readonly publicKey: string;
  readonly signature: string;
}

/** Reason to reject a record. */
export type Rejection = "shape" | "cluster" | "not-newer" | "identity" | "signature";

export type Verification =
  | { readonly accepted: true; readonly record: MemberRecord }
  | { readonly accepted: false; readonly why: Rejection };

export interface VerifyOptions {
  /** Required mesh of the record. */
  readonly cluster: string;
  /** Returns true if the record is worth checking its signature. @default always */
  readonly isNewer?: (record: MemberRecord) => boolean;
  /** @default `ed25519` */
  readonly scheme?: SignatureScheme;
}

/**
 * Signs a member's record.
 *
 * @throws {RangeError} if it takes more than 16 KiB.
 * @throws {TypeError} if the record is invalid or has another key's id.
 */
export function signRecord(record: MemberRecord, key: NodeKey): SignedRecord {
  if (record.id !== key.id) throw new TypeError(`the record of ${record.id} cannot be signed by ${key.id}`);
  const text = JSON.stringify(record);
  const bytes = Buffer.byteLength(text);
  if (bytes > maxRecordBytes) {
    throw new RangeError(`a record of ${bytes} bytes is too long; at most ${maxRecordBytes} are allowed`);
  }
  const verification = readOrReject(text);
  if (!verification) throw new TypeError(`the text to sign is no record: ${text}`);
  return { text, publicKey: key.publicKey, signature: key.sign(text) };
}

/** Checks size, shape, cluster, version, identity and signature, the cheapest first. */
export function verifyRecord(
  signed: SignedRecord,
  { cluster, isNewer = () => true, scheme = ed25519 }: VerifyOptions,
): Verification {
  const record = readOrReject(signed.text);
  if (!record) return reject("shape");
  if (record.cluster !== cluster) return reject("cluster");
  if (!isNewer(record)) return reject("not-newer");
  if (scheme.idOf(signed.publicKey) !== record.id) return reject("identity");
  const { publicKey, text, signature } = signed;
  if (!scheme.verify({ publicKey, bytes: text, signature })) return reject("signature");
  return { accepted: true, record };
}

function reject(why: Rejection): Verification {
  return { accepted: false, why };
}

function readOrReject(text: string): MemberRecord | null {
  try {
    return readRecord(text);
  } catch (error) {
    if (error instanceof ShapeError) return null;
    throw error;
  }
}
