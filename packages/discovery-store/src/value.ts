import { createHash } from "node:crypto";
import type { SignedRecord } from "@lmserv/discovery-signing";

/** Tombstone written before a value is deleted; tells a leave from a crash. */
export const goodbye = "goodbye";
const signatureLine = /^([\w-]{43})\.([\w-]{86})$/;
/** 128 bits: no id of another node can be made to lead to the same slot. */
const slotDigits = 32;

/** The signed record, readable as text, and a line with its key and signature. */
export function writeValue({ text, publicKey, signature }: SignedRecord): string {
  return `${text}\n${publicKey}.${signature}`;
}

/** Null for an invalid value; does not check its signature. */
export function readValue(value: string): SignedRecord | null {
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
