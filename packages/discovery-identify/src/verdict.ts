import type { Silence } from "./connection.ts";
import type { Identification } from "./identification.ts";

/** What one look at a port found. Whoever reads it decides for each case, so that none counts as another unawares. */
export type Verdict =
  | { readonly kind: "server"; readonly identification: Identification }
  /** Somebody answers, and is no LLM server. */
  | { readonly kind: "other"; readonly is: Stranger }
  /** No complete reply, and why: with `no-connection` and `no-answer` a patient second look may find more. */
  | { readonly kind: "silent"; readonly why: Quiet };

/** How a port shows that it is no LLM server: by other HTTP, by failing whatever is asked (5xx), or without HTTP. */
export type Stranger = "http" | "failing" | "foreign";

/** Why a port gave no complete reply. */
export type Quiet = Exclude<Silence, "foreign" | "encrypted">;
