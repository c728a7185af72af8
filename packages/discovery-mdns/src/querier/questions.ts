import { encode, maxPacketBytes } from "../dns/encode.ts";
import type { Name } from "../dns/name.ts";
import { type Question, query, type ResourceRecord, recordTypes } from "../dns/record.ts";
import { type Family, familyOf } from "../link/interfaces.ts";
import type { Link } from "../link/link.ts";
import type { Instance } from "./instance.ts";

export interface Ask extends Omit<Question, "unicast"> {
  readonly over: readonly Family[];
}

/** Questions for a sign of life that use one family only; later ones use both, in case that family fails. */
const frugalAsks = 2;
/** Known answers of some twenty packets; ten thousand forged nodes would take hundreds. */
const maxKnown = 512;

/**
 * Questions about an instance that is due.
 *
 * @param ttlMs - Longest lifetime of a sign of life.
 */
export function questionsFor(
  instance: Instance,
  families: readonly Family[],
  ttlMs: number,
  nowMs: number,
): Ask[] {
  const { name, location, text } = instance;
  const neededMs = nowMs + ttlMs;
  const over = familiesFor(instance, families, neededMs, nowMs);
  const questions: Ask[] = [];
  const isLocated = location !== null && !instance.doubted && !instance.isRefreshed(nowMs);
  if (!isLocated) questions.push({ name, type: recordTypes.SRV, over });
  // Asked with the sign of life: a unicast packet may have brought a text that the owner does not know of.
  if (!isLocated || !text || text.untilMs < neededMs) questions.push({ name, type: recordTypes.TXT, over });
  if (location && (!instance.isReachable(neededMs) || instance.patienceEndMs(nowMs) !== null)) {
    const types = [recordTypes.A, recordTypes.AAAA];
    questions.push(...types.map((type) => ({ name: location.target, type, over })));
  }
  return questions;
}

/** One family suffices for a sign of life, until it stays unanswered or addresses of the other run out. */
function familiesFor(
  instance: Instance,
  families: readonly Family[],
  neededMs: number,
  nowMs: number,
): readonly Family[] {
  const { host, latestSources, askedInVain, wasRefreshed } = instance;
  if (!host || !instance.isRefreshed(nowMs) || askedInVain >= frugalAsks) return families;
  if (!wasRefreshed && isHalfProven(instance, nowMs)) return families;
  if ((host.nextEndMs(nowMs) ?? nowMs) < neededMs) return families;
  const spoken = families.filter((family) => latestSources.some((source) => familyOf(source) === family));
  return spoken.slice(0, 1);
}

/**
 * True if it announces addresses of a family over which it was never heard: only a packet proves them its
 * own.
 */
function isHalfProven({ host, sources }: Instance, nowMs: number): boolean {
  const announced = (host?.addresses(nowMs) ?? []).map(familyOf);
  return announced.some((family) => sources.every((source) => familyOf(source) !== family));
}

/**
 * Sends the questions in as few packets as hold them.
 *
 * @param known - Known answers to a question for a list.
 * @param unicast - True if the answers may come by unicast.
 */
export function sendAsks(
  link: Link,
  asks: readonly Ask[],
  known: () => ResourceRecord[],
  unicast: boolean,
): void {
  for (const family of link.families) {
    const asked = asks.filter(({ over }) => over.includes(family));
    if (asked.length === 0) continue;
    const questions = asked.map(({ name, type }): Question => ({ name, type, unicast }));
    const answers = asked.some(({ type }) => type === recordTypes.PTR) ? known() : [];
    for (const packet of encode(query({ questions, answers }), { maxBytes: maxPacketBytes })) {
      link.multicast(packet, family);
    }
  }
}

/** Pointers to the oldest known instances, with more than half of their lives ahead (RFC 6762 section 7.1). */
export function knownAnswers(instances: Iterable<Instance>, listName: Name, nowMs: number): ResourceRecord[] {
  const known: ResourceRecord[] = [];
  for (const { name, pointer, location } of instances) {
    const leftMs = pointer.untilMs - nowMs;
    if (!location || leftMs <= (pointer.untilMs - pointer.seenMs) / 2) continue;
    const ttlS = Math.floor(leftMs / 1_000);
    known.push({ name: listName, ttlS, flush: false, type: "PTR", target: name });
    if (known.length === maxKnown) break;
  }
  return known;
}
