import { isKeyId, type SignedRecord, type SignedRenewal, type Version } from "@lmserv/discovery-signing";

/** How recent a member's latest sign of life is; a later start, record or renewal is greater. */
export interface Moment extends Version {
  /** 0 for the record itself. */
  readonly beat: number;
}

/** What members say to each other over a link. */
export type Message = Digest | Told | Renewed | Relay | Vouches;

/** What the sender knows; whoever knows more of it says so. */
export interface Digest {
  readonly type: "digest";
  readonly entries: readonly (readonly [id: string, epoch: number, seq: number, beat: number])[];
  /** Whether that is all it knows, or all that it asks for. */
  readonly whole: boolean;
  /** Whether the receiver is to send its own. */
  readonly answer: boolean;
}

/** How far a sign of life came. */
interface Travelled {
  /** Members that passed it on. */
  readonly hops: number;
  /** How long ago its author sent it, as far as those who passed it on know. */
  readonly ageMs: number;
}

export interface Told extends Travelled {
  readonly type: "record";
  readonly signed: SignedRecord;
}

export interface Renewed extends Travelled {
  readonly type: "renewal";
  readonly signed: SignedRenewal;
}

/** Whose signs of life the receiver is to pass on from now on, in place of those it was asked for before. */
export interface Relay {
  readonly type: "relay";
  readonly ids: readonly string[] | "all";
}

/** The sender passes on their signs of life from now on, or no longer. */
export interface Vouches {
  readonly type: "vouching" | "lost";
  readonly ids: readonly string[];
}

/** More than a mesh has members, and those it remembers. */
const maxIds = 1_024;
const dayMs = 86_400_000;

/** Reads what a peer sent, or null when it is no message. Signatures are not looked at. */
export function readMessage(text: string): Message | null {
  const value = parse(text);
  if (!isObject(value)) return null;
  switch (value.type) {
    case "digest":
      return readDigest(value);
    case "record":
    case "renewal":
      return readTravelled(value, value.type);
    case "relay": {
      const ids = value.ids === "all" ? value.ids : readIds(value.ids);
      return ids && { type: "relay", ids };
    }
    case "vouching":
    case "lost": {
      const ids = readIds(value.ids);
      return ids && { type: value.type, ids };
    }
    default:
      return null;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function readDigest({ entries, whole, answer }: Readonly<Record<string, unknown>>): Digest | null {
  if (!Array.isArray(entries) || entries.length > maxIds) return null;
  if (typeof whole !== "boolean" || typeof answer !== "boolean") return null;
  return entries.every(isEntry) ? { type: "digest", entries, whole, answer } : null;
}

function isEntry(entry: unknown): entry is Digest["entries"][number] {
  if (!Array.isArray(entry) || entry.length !== 4) return false;
  const [id, ...counts] = entry;
  return isId(id) && counts.every((count) => Number.isSafeInteger(count) && count >= 0);
}

function readTravelled(
  { signed, hops, ageMs }: Readonly<Record<string, unknown>>,
  type: "record" | "renewal",
): Message | null {
  if (!isObject(signed) || !isNumber(hops, maxHopsSeen) || !isNumber(ageMs, dayMs)) return null;
  const { text, publicKey, signature } = signed;
  if (typeof text !== "string" || typeof signature !== "string") return null;
  if (type === "renewal") return { type, hops, ageMs, signed: { text, signature } };
  if (typeof publicKey !== "string") return null;
  return { type, hops, ageMs, signed: { text, publicKey, signature } };
}

/** A later version may let news travel further. */
const maxHopsSeen = 16;

function readIds(value: unknown): readonly string[] | null {
  return Array.isArray(value) && value.length <= maxIds && value.every(isId) ? value : null;
}

function isId(value: unknown): value is string {
  return typeof value === "string" && isKeyId(value);
}

function isNumber(value: unknown, most: number): value is number {
  return typeof value === "number" && value >= 0 && value <= most;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
