import type { Silence, Unreadable } from "../http/silence.ts";
import type { Identification } from "./identification.ts";

/** Result of one look at a port, in cases that its reader must tell apart. */
export type Fingerprint =
  /** An LLM server listens at the asked port. */
  | ({ readonly kind: "server"; readonly identification: Identification } & Documented)
  /** The port is no LLM server, as its document says. */
  | ({ readonly kind: "document"; readonly role: string | null } & Documented)
  /** The port answers, and is no LLM server. */
  | { readonly kind: "other"; readonly is: OtherService }
  /**
   * No complete reply, with the reason: after `no-connection` and `no-answer` a patient second look may find
   * more.
   */
  | { readonly kind: "silent"; readonly why: NoReply };

interface Documented {
  /** LLM servers of the same host on other ports; empty without a document. */
  readonly others: readonly Identification[];
}

/** LLM servers that one look at a port found. */
export function serversOf(result: Fingerprint): readonly Identification[] {
  if (result.kind === "server") return [result.identification, ...result.others];
  return result.kind === "document" ? result.others : [];
}

/** Sign that a port is no LLM server: other HTTP, 5xx to all questions, or no HTTP. */
export type OtherService = "http" | "failing" | "foreign";

/** Reason for an incomplete reply. */
export type NoReply = Exclude<Silence, Unreadable>;
