import { createHmac, type KeyObject, timingSafeEqual } from "node:crypto";
import type { ClusterKey } from "./cluster-key.ts";
import { Refusal, type RefusalReason } from "./refusal.ts";

/** Begins everything that is proven or signed, so that none of it means anything elsewhere. */
const domain = "lmserv-mesh/1";

/** Who says it and when, so that no side's words can be sent back to it, nor early ones pass for late ones. */
export type Stage = "dialer opens" | "listener introduces itself" | "dialer introduces itself";

/** What both sides must agree on. */
export interface Transcript {
  readonly stage: Stage;
  readonly dialerNonce: string;
  readonly listenerNonce: string;
  readonly cluster: string;
  /** What TLS derives for this one connection (RFC 9266); empty without TLS. */
  readonly channel: Uint8Array;
  /** Those so far, as sent. */
  readonly introductions: readonly string[];
}

/**
 * That one knows the key: three times, each over more than the last.
 *
 * The last would do. The others are there for whoever checks: to tell a wrong key from another cluster and that
 * from a relay in between, without either side saying which cluster or key it has.
 */
export interface Proof {
  readonly key: string;
  readonly cluster: string;
  readonly channel: string;
}

const flaws: Readonly<Record<keyof Proof, readonly [RefusalReason, string]>> = {
  key: ["wrong-key", "it has another cluster key, or none"],
  cluster: ["other-cluster", "it has a key of ours, but is of another cluster"],
  channel: ["relayed", "it is a member, but something in between ends the connection, or TLS ends before it"],
};

export function prove(key: ClusterKey, transcript: Transcript): Proof {
  return {
    key: hmac(key, "key", transcript),
    cluster: hmac(key, "cluster", transcript),
    channel: hmac(key, "channel", transcript),
  };
}

/**
 * The index of the key with which the proof was made.
 *
 * @throws {Refusal} `wrong-key`, `other-cluster` or `relayed`.
 */
export function checkProof(keys: readonly ClusterKey[], transcript: Transcript, proof: Proof): number {
  const index = keys.findIndex((key) => isEqual(hmac(key, "key", transcript), proof.key));
  const key = keys[index];
  if (!key) throw flawed("key");
  const expected = prove(key, transcript);
  if (!isEqual(expected.cluster, proof.cluster)) throw flawed("cluster");
  if (!isEqual(expected.channel, proof.channel)) throw flawed("channel");
  return index;
}

function flawed(part: keyof Proof): Refusal {
  return new Refusal(...flaws[part]);
}

/** What a member signs with its own key. */
export function signable(transcript: Transcript): Buffer {
  return encode(["signature", ...fields("channel", transcript)]);
}

function hmac(key: KeyObject, part: keyof Proof, transcript: Transcript): string {
  return createHmac("sha256", key)
    .update(encode(["proof", ...fields(part, transcript)]))
    .digest("base64url");
}

function fields(part: keyof Proof, transcript: Transcript): readonly (string | Uint8Array)[] {
  const { stage, dialerNonce, listenerNonce, cluster, channel, introductions } = transcript;
  const all: Readonly<Record<keyof Proof, readonly (string | Uint8Array)[]>> = {
    key: [],
    cluster: [cluster],
    channel: [cluster, channel, ...introductions],
  };
  return [domain, stage, part, dialerNonce, listenerNonce, ...all[part]];
}

/** Each field behind its length, so that no two lists look alike. */
function encode(list: readonly (string | Uint8Array)[]): Buffer {
  return Buffer.concat(
    list.flatMap((field) => {
      const bytes = Buffer.from(field);
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      return [length, bytes];
    }),
  );
}

function isEqual(expected: string, given: string): boolean {
  const [a, b] = [Buffer.from(expected), Buffer.from(given)];
  return a.length === b.length && timingSafeEqual(a, b);
}
