import { compareVersions } from "@lmserv/discovery-signing";
import { type Directory, type Entry, isAlive, momentOf } from "./directory.ts";
import type { LinkBook } from "./link-book.ts";
import type { LocalRecord } from "./local-record.ts";
import type { Digest, Message, Moment } from "./message.ts";
import { maxHops } from "./timing.ts";

const unknown: Moment = { epoch: 0, seq: 0, beat: 0 };

/** All that we know. */
export function wholeDigest(directory: Directory, own: LocalRecord | null, answer: boolean): Digest {
  const others = [...directory.all()].map((entry) => entryOf(entry.id, momentOf(entry)));
  const entries = own ? [entryOf(own.id, own.moment), ...others] : others;
  return { type: "digest", entries, whole: true, answer };
}

/** Asks for whatever is later than what we know of one member. */
export function questionAbout(directory: Directory, id: string, own: Moment | undefined): Digest {
  const known = directory.get(id);
  const entries = [entryOf(id, own ?? (known ? momentOf(known) : unknown))];
  return { type: "digest", entries, whole: false, answer: false };
}

/** What we know and a peer does not, by its digest. */
export function unknownTo(peer: string, digest: Digest, directory: Directory): Entry[] {
  const told = new Map(digest.entries.map(([id, epoch, seq, beat]) => [id, { epoch, seq, beat }]));
  const ids = digest.whole ? [...directory.all()].map(({ id }) => id) : [...told.keys()];
  return ids.flatMap((id) => {
    const entry = directory.get(id);
    // Signs of life are told by those who are there, and passed on to those who ask.
    if (!entry || compareVersions(entry.record, told.get(id) ?? unknown) <= 0) return [];
    // That somebody was lost is no news to anybody but whoever it was: it may have come back with less.
    return entry.state === "lost" && id !== peer ? [] : [entry];
  });
}

/** Whether a peer, by its digest, does not know the latest record of ourselves. */
export function lacksUs({ entries, whole }: Digest, own: LocalRecord | null): boolean {
  if (!own) return false;
  const told = entries.find(([id]) => id === own.id);
  if (!told) return whole;
  const [, epoch, seq] = told;
  return compareVersions(own.moment, { epoch, seq }) > 0;
}

/** An entry as it is passed on: its record, and its latest renewal if it has one. */
export function passedOn(entry: Entry, links: LinkBook, nowMs: number): Message[] {
  const { id, signed, renewal, hops } = entry;
  const linkMs = isAlive(entry) ? links.heardMs(id, entry.record.instance) : entry.heardMs;
  const ageMs = Math.max(0, Math.round(nowMs - Math.max(entry.heardMs, linkMs)));
  const travelled = { hops: hops + 1, ageMs };
  const told: Message = { type: "record", signed, ...travelled };
  return renewal ? [told, { type: "renewal", signed: renewal, ...travelled }] : [told];
}

/** Passes on what is known of members to a peer that wants to hear of them. */
export function passTo(
  peer: string,
  ids: readonly string[],
  directory: Directory,
  links: LinkBook,
  nowMs: number,
): void {
  for (const id of ids) {
    const entry = directory.get(id);
    if (!isAlive(entry) || entry.hops >= maxHops) continue;
    for (const message of passedOn(entry, links, nowMs)) links.sendTo(peer, message, keyOf(message, id));
  }
}

/** What waits for a slow peer is replaced by what is later of the same member. */
export function keyOf({ type }: Message, id: string): string {
  return `${type} ${id}`;
}

function entryOf(id: string, { epoch, seq, beat }: Moment): Digest["entries"][number] {
  return [id, epoch, seq, beat];
}
