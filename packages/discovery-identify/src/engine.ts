import type { Auth } from "@lmserv/discovery-core";
import { valueAt } from "./json.ts";
import type { Reply } from "./reply.ts";

/** What one reply holds. */
export interface Sign {
  /** Of which question. */
  readonly path: string;
  /** Where in its JSON (RFC 6901); or in which header. @default the whole body, as text */
  readonly at?: string;
  readonly header?: string;
  readonly like: RegExp;
}

/** All of these together. */
export type Signs = readonly Sign[];

/** One kind of LLM server: how it is recognised, and where it says what it is. */
export interface Engine {
  /** Null for a server that shows an API but not its kind. */
  readonly server: string | null;
  /** Where it listens by default: a hint and nothing more. */
  readonly ports: readonly number[];
  readonly apis: readonly string[];
  /** Its chat endpoint. */
  readonly chat: string;
  /** Any of these settles it. */
  readonly proofs: readonly Signs[];
  /** Any of these makes it worth a question of its own. */
  readonly hints: readonly Signs[];
  /** Its own questions, the one that tells most first. */
  readonly asks: readonly string[];
  /** Where its version stands; the first group of `like`, if there is one, is what counts. */
  readonly version: Sign | null;
  /** Where its models stand: a list, and the name in each entry. */
  readonly models: readonly ModelList[];
  /** Whether it wants credentials, or which question shows that. A 401 or 403 always does. */
  readonly auth: Auth | { readonly shownBy: string } | null;
}

export interface ModelList {
  readonly path: string;
  /** Pointer to the list, or to one name. */
  readonly at: string;
  /** Pointer within an entry; empty for a list of names. */
  readonly name: string;
}

/** Whether any of the alternatives is there in full. */
export function isShown(alternatives: readonly Signs[], replies: readonly Reply[]): boolean {
  return alternatives.some((signs) => signs.every((sign) => readSign(sign, replies) !== null));
}

/** What a sign captures, or all that it matches; null where it is absent. */
export function readSign(sign: Sign, replies: readonly Reply[]): string | null {
  const reply = replies.find(({ path }) => path === sign.path);
  const text = reply && signText(sign, reply);
  const match = text === undefined || text === null ? null : sign.like.exec(text);
  return match && (match[1] ?? match[0]);
}

function signText({ at, header }: Sign, reply: Reply): string | null {
  if (header !== undefined) return headerText(reply, header);
  if (at === undefined) return reply.text;
  const value = valueAt(reply.json, at);
  return typeof value === "string" || typeof value === "number" ? String(value) : null;
}

function headerText({ headers }: Reply, name: string): string | null {
  const value = headers[name];
  return Array.isArray(value) ? value.join(", ") : (value ?? null);
}
