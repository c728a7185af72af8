import { randomBytes } from "node:crypto";
import { verifySignature } from "@lmserv/discovery-signing";
import { type ClusterKey, openKey } from "./cluster-key.ts";
import { malformed, type Party, readHello, readRecord, writeHello } from "./handshake-hello.ts";
import type { PeerHello } from "./link.ts";
import { checkProof, type Proof, prove, type Stage, signable, type Transcript } from "./proof.ts";
import { Refusal } from "./refusal.ts";

/** What is known of the connection itself. */
export interface Channel {
  /** What TLS derives for it, empty without TLS. */
  readonly binding: Uint8Array;
  readonly remoteAddress: string;
}

/** What a handshake found out. */
export interface Admission {
  readonly peer: PeerHello;
  readonly observedAddress: string | null;
  readonly keyIndex: number;
  /** Still to be sent. */
  readonly lastWord: string | null;
}

/**
 * One side of a handshake: yields what to send, takes what comes back, throws a `Refusal`.
 *
 * ```
 * listener                                       dialer
 *    │ ── nonce ───────────────────────────────▶ │
 *    │ ◀─────────────────────── nonce, proof ─── │   the dialer has the key, and says nothing else
 *    │ ── introduction, proof, signature ──────▶ │   so has the listener: and this is who it is
 *    │ ◀────── introduction, proof, signature ── │
 *    │ ── admitted ────────────────────────────▶ │
 * ```
 *
 * Both ids are in what is proven from the third message on. They come that late because an id stays the same
 * wherever its owner goes: whoever has no key, and merely connects or is connected to, learns a random number
 * and a digest. A key file's key cannot be guessed, so that the digest is of no use to anybody; and the dialer
 * has to show its own first, since ports are scanned more often than scanners are dialled. The price is half a
 * round trip. Who only listens to an unencrypted connection reads the introductions nevertheless.
 */
export type Handshake = Generator<string | null, Admission, string>;

export function* listenerHandshake(party: Party, channel: Channel): Handshake {
  const listenerNonce = newNonce();
  const opening = readOpening(yield JSON.stringify({ nonce: listenerNonce }));
  const exchange = exchangeOf(party, channel, opening.nonce, listenerNonce);
  checkProof(keysOf(party), exchange("dialer opens", []), opening.proof);

  const own = writeHello(party, channel.remoteAddress);
  const mine = exchange("listener introduces itself", [own]);
  const answer = readIntroduced(yield introduce(party, mine, own));
  const theirs = exchange("dialer introduces itself", [own, answer.introduction]);
  return { ...accept(party, theirs, answer), lastWord: JSON.stringify({ admitted: true }) };
}

export function* dialerHandshake(party: Party, channel: Channel): Handshake {
  const listenerNonce = readNonce(readRecord(yield null).nonce);
  const nonce = newNonce();
  const exchange = exchangeOf(party, channel, nonce, listenerNonce);

  const proof = prove(provenKey(party), exchange("dialer opens", []));
  const answer = readIntroduced(yield JSON.stringify({ nonce, proof }));
  const theirs = exchange("listener introduces itself", [answer.introduction]);
  const admission = { ...accept(party, theirs, answer), lastWord: null };

  const own = writeHello(party, channel.remoteAddress);
  const mine = exchange("dialer introduces itself", [answer.introduction, own]);
  const end = readRecord(yield introduce(party, mine, own));
  if (end.admitted !== true) throw malformed("no word of admission");
  return admission;
}

interface Introduced {
  readonly introduction: string;
  readonly proof: Proof;
  readonly signature: string;
}

/** Checks what one side says of itself, its proof and its signature. */
function accept(
  party: Party,
  transcript: Transcript,
  { introduction, proof, signature }: Introduced,
): Omit<Admission, "lastWord"> {
  const keyIndex = checkProof(keysOf(party), transcript, proof);
  const { hello, observed } = readHello(introduction);
  if (!verifySignature({ publicKey: hello.publicKey, bytes: signable(transcript), signature })) {
    throw new Refusal("identity", `it did not sign with the key of ${hello.id}`);
  }
  if (hello.id === party.nodeKey.id && hello.instance === party.instance) {
    throw new Refusal("self", "it is this process itself");
  }
  return { peer: hello, observedAddress: observed, keyIndex };
}

function introduce(party: Party, transcript: Transcript, introduction: string): string {
  const proof = prove(provenKey(party), transcript);
  return JSON.stringify({ introduction, proof, signature: party.nodeKey.sign(signable(transcript)) });
}

/** Both sides' transcripts, which grow by their introductions. */
function exchangeOf(
  { cluster }: Party,
  { binding }: Channel,
  dialerNonce: string,
  listenerNonce: string,
): (stage: Stage, introductions: readonly string[]) => Transcript {
  return (stage, introductions) => {
    return { stage, dialerNonce, listenerNonce, cluster, channel: binding, introductions };
  };
}

function keysOf({ clusterKeys }: Party): readonly ClusterKey[] {
  return clusterKeys.length > 0 ? clusterKeys : [openKey];
}

function provenKey({ clusterKeys: [first = openKey] }: Party): ClusterKey {
  return first;
}

/** From the system and not from an injected source: security rests on it. */
function newNonce(): string {
  return randomBytes(32).toString("base64url");
}

function readOpening(text: string): { readonly nonce: string; readonly proof: Proof } {
  const { nonce, proof } = readRecord(text);
  return { nonce: readNonce(nonce), proof: readProof(proof) };
}

function readIntroduced(text: string): Introduced {
  const { introduction, proof, signature } = readRecord(text);
  if (typeof introduction !== "string" || typeof signature !== "string") throw malformed("no introduction");
  return { introduction, proof: readProof(proof), signature };
}

function readProof(value: unknown): Proof {
  if (typeof value !== "object" || value === null) throw malformed("no proof");
  const { key, cluster, channel } = value as Record<string, unknown>; // Of which nothing but that is known.
  if (typeof key !== "string" || typeof cluster !== "string" || typeof channel !== "string") {
    throw malformed("no proof");
  }
  return { key, cluster, channel };
}

function readNonce(value: unknown): string {
  if (typeof value !== "string" || !/^[\w-]{43}$/.test(value)) throw malformed("no nonce");
  return value;
}
