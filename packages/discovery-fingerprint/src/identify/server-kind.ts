import type { Auth } from "@lmserv/discovery-core";
import { valueAt } from "../http/json.ts";
import type { Reply } from "../http/reply.ts";

/** Sign in one reply. */
export interface Sign {
  /** Path of the question. */
  readonly path: string;
  /** Pointer into its JSON (RFC 6901), or its header. @default the whole body, as text */
  readonly at?: string;
  readonly header?: string;
  readonly like: RegExp;
}

/** Signs that are required together. */
export type Signs = readonly Sign[];

/** Alternatives, of which one suffices. */
export type Evidence = readonly Signs[];

/** List of names in a reply. */
export interface ModelList {
  readonly path: string;
  /** Pointer to the list, or to the only name. */
  readonly at: string;
  /** Pointer within each entry; empty if the entry is the name. */
  readonly name: string;
}

/** Kind of LLM server, with its signs and the places of its description. */
export interface ServerKind {
  /** Null for a server that shows an API but not its kind. */
  readonly server: string | null;
  /** Default ports: a mere hint. */
  readonly ports: readonly number[];
  readonly apis: readonly string[];
  /** Path of its chat endpoint. */
  readonly chat: string;
  /** Proofs of the kind; signs in common questions come first, and make the rest worth asking. */
  readonly proofs: Evidence;
  /** Further questions once it is proven, in this order. */
  readonly asks: readonly string[];
  /** Place of its version: the first group of `like`, or all that it matches. */
  readonly version: Sign | null;
  /** Places of its models; the first list with any name counts. */
  readonly models: readonly ModelList[];
  /** Need of credentials, or its evidence. A 401 or 403 always shows it. */
  readonly auth: Auth | AuthEvidence;
}

export interface AuthEvidence {
  readonly required?: Evidence;
  readonly none: Evidence;
}

/** True if one of the alternatives holds. */
export function isShown(evidence: Evidence, replies: readonly Reply[]): boolean {
  return evidence.some((signs) => signs.every((sign) => readSign(sign, replies) !== null));
}

/** Captured group of a sign, or all that it matches; null if it is absent. */
export function readSign(sign: Sign, replies: readonly Reply[]): string | null {
  const reply = replies.find(({ path }) => path === sign.path);
  const text = reply ? textOf(sign, reply) : null;
  const match = text === null ? null : sign.like.exec(text);
  return match && (match[1] ?? match[0]);
}

function textOf({ at, header }: Sign, { headers, text, json }: Reply): string | null {
  if (header !== undefined) return headers[header]?.toString() ?? null;
  if (at === undefined) return text;
  const value = valueAt(json, at);
  return typeof value === "object" || value === undefined ? null : String(value);
}
