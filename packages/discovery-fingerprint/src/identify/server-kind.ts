import type { Auth } from "@lmserv/discovery-core";
import { valueAt } from "../http/json.ts";
import type { Reply } from "../http/reply.ts";

/** What one reply holds. */
export interface Sign {
  /** To which question. */
  readonly path: string;
  /** Where in its JSON (RFC 6901); or in which header. @default the whole body, as text */
  readonly at?: string;
  readonly header?: string;
  readonly like: RegExp;
}

/** These together. */
export type Signs = readonly Sign[];

/** Any one of these. */
export type Evidence = readonly Signs[];

/** A list of names in a reply. */
export interface ModelList {
  readonly path: string;
  /** Pointer to the list, or to the only name. */
  readonly at: string;
  /** Pointer within each entry; empty where the entry is the name. */
  readonly name: string;
}

/** One kind of LLM server: how it is recognised, and where it says what it is. */
export interface ServerKind {
  /** Null for a server that shows an API but not its kind. */
  readonly server: string | null;
  /** Where it listens by default: a hint and nothing more. */
  readonly ports: readonly number[];
  readonly apis: readonly string[];
  /** Its chat endpoint. */
  readonly chat: string;
  /** What settles it; signs of questions that every server is asked come first, and make the rest worth asking. */
  readonly proofs: Evidence;
  /** What else to ask once it is proven, in this order. */
  readonly asks: readonly string[];
  /** Where its version stands: the first group of `like`, or all that it matches. */
  readonly version: Sign | null;
  /** Where its models stand; the first list that names any counts. */
  readonly models: readonly ModelList[];
  /** Whether it wants credentials, or what shows it. A 401 or 403 always shows that it does. */
  readonly auth: Auth | AuthEvidence;
}

export interface AuthEvidence {
  readonly required?: Evidence;
  readonly none: Evidence;
}

/** Whether one of the alternatives holds. */
export function isShown(evidence: Evidence, replies: readonly Reply[]): boolean {
  return evidence.some((signs) => signs.every((sign) => readSign(sign, replies) !== null));
}

/** What a sign captures, or all that it matches; null where it is absent. */
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
