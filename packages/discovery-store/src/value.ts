import { createHash } from "node:crypto";
import { type AliveRecord, type Rejection, type SignedRecord, verifyRecord } from "@lmserv/discovery-signing";
import { isOutdated } from "./record-age.ts";
import { maxValueBytes } from "./store.ts";

/**
 * Reason to refuse a value.
 *
 * `key`: it lies under another record's key. `quota`: its member has too many. `full`: there are too many.
 * `address`: none of its addresses leads to its node. `age`: it was signed too long ago.
 */
export type Refusal = Rejection | "key" | "quota" | "full" | "address" | "age";

export type Verification =
  | { readonly kind: "record"; readonly record: AliveRecord }
  | { readonly kind: "refused"; readonly why: Refusal };

/** Tombstone written before a value is deleted; tells a leave from a crash. */
export const goodbye = "goodbye";
const signatureLine = /^([\w-]{43})\.([\w-]{86})$/;
/** 128 bits: no id of another node can be made to lead to the same slot. */
const slotDigits = 32;

/** The signed record, readable as text, and a line with its key and signature. */
export function writeValue({ text, publicKey, signature }: SignedRecord): string {
  return `${text}\n${publicKey}.${signature}`;
}

/**
 * Decides if a value in a store is an announcement.
 *
 * The store proves nothing: the signature must be valid, the key right, and the record no older than a day.
 *
 * @param wallMs - Time of day, in ms since 1970.
 */
export function verifyValue(key: string, value: string, cluster: string, wallMs: number): Verification {
  const signed = value.length > maxValueBytes ? null : readValue(value);
  if (!signed) return refuse("shape");
  const verification = verifyRecord(signed, { cluster });
  if (!verification.accepted) return refuse(verification.why);
  const { record } = verification;
  if (record.kind !== "alive" || record.nodes.length !== 1) return refuse("shape");
  if (isOutdated(record, wallMs)) return refuse("age");
  if (record.addresses.length === 0) return refuse("address");
  if (record.nodes.some(({ id }) => keyOf(record.id, id) !== key)) return refuse("key");
  return { kind: "record", record };
}

function refuse(why: Refusal): Verification {
  return { kind: "refused", why };
}

/** Null for an invalid value; does not check its signature. */
function readValue(value: string): SignedRecord | null {
  const end = value.lastIndexOf("\n");
  const [, publicKey, signature] = signatureLine.exec(value.slice(end + 1)) ?? [];
  if (end < 0 || publicKey === undefined || signature === undefined) return null;
  return { text: value.slice(0, end), publicKey, signature };
}

/** Only valid key for a member's announcement of a node. */
export function keyOf(memberId: string, nodeId: string): string {
  const slot = createHash("sha256").update(nodeId).digest("hex").slice(0, slotDigits);
  return `${memberId}.${slot}`;
}
