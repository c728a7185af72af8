import type { Silence, Unreadable } from "../http/connection.ts";
import type { Identification } from "./identification.ts";

/** What one look at a port found. Whoever reads it decides for each case, so that none counts as another unawares. */
export type Verdict =
  /** An LLM server listens at the port that was asked. */
  | ({ readonly kind: "server"; readonly identification: Identification } & Documented)
  /** The port is no LLM server, as its document says. */
  | ({ readonly kind: "document"; readonly role: string | null } & Documented)
  /** Somebody answers, and is no LLM server. */
  | { readonly kind: "other"; readonly is: Stranger }
  /** No complete reply, and why: with `no-connection` and `no-answer` a patient second look may find more. */
  | { readonly kind: "silent"; readonly why: Quiet };

/** What a document says of further servers. */
interface Documented {
  /** LLM servers of the same host on other ports; empty without a document. */
  readonly others: readonly Identification[];
}

/** Every LLM server that one look at a port found. */
export function serversOf(verdict: Verdict): readonly Identification[] {
  if (verdict.kind === "server") return [verdict.identification, ...verdict.others];
  return verdict.kind === "document" ? verdict.others : [];
}

/** How a port shows that it is no LLM server: by other HTTP, by failing whatever is asked (5xx), or without HTTP. */
export type Stranger = "http" | "failing" | "foreign";

/** Why a port gave no complete reply. */
export type Quiet = Exclude<Silence, Unreadable>;
