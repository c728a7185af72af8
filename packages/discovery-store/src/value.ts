import { createHash } from "node:crypto";
import type { SignedRecord } from "@lmserv/discovery-signing";

/** What takes a value's place just before it goes, so that who leaves is told from who crashed. */
export const goodbye = "goodbye";
const signatureLine = /^([\w-]{43})\.([\w-]{86})$/;
/** 128 bits: nobody finds another node with the same. */
const slotDigits = 32;

/** The record as it was signed, which people can read, and a line with its key and signature. */
export function writeValue({ text, publicKey, signature }: SignedRecord): string {
  return `${text}\n${publicKey}.${signature}`;
}

/** Null for what cannot be one; whether anything in it is true is another question. */
export function readValue(value: string): SignedRecord | null {
  const end = value.lastIndexOf("\n");
  const [, publicKey, signature] = signatureLine.exec(value.slice(end + 1)) ?? [];
  if (end < 0 || publicKey === undefined || signature === undefined) return null;
  return { text: value.slice(0, end), publicKey, signature };
}

/** Where the announcement of a node by a member has its place, and no other one. */
export function keyOf(memberId: string, nodeId: string): string {
  const slot = createHash("sha256").update(nodeId).digest("hex").slice(0, slotDigits);
  return `${memberId}.${slot}`;
}
