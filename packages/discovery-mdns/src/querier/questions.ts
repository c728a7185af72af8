import { encode, maxPacketBytes } from "../dns/encode.ts";
import { type Question, query, type ResourceRecord, recordTypes } from "../dns/record.ts";
import { type Family, familyOf } from "../link/interfaces.ts";
import type { Link } from "../link/link.ts";
import type { Instance } from "./instance.ts";

/** A question, and the families over which it is asked. */
export interface Ask extends Omit<Question, "unicast"> {
  readonly over: readonly Family[];
}

/** So many questions for a sign of life go over one family only; then that one may be what fails. */
const frugalAsks = 2;

/**
 * What is to be asked about an instance whose time has come.
 *
 * @param ttlMs - How long a sign of life counts, at most.
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
  // With the sign of life: a packet to this host alone may have brought a text of which the owner knows nothing.
  if (!isLocated || !text || text.untilMs < neededMs) questions.push({ name, type: recordTypes.TXT, over });
  if (location && (!instance.isReachable(neededMs) || instance.patienceEndMs(nowMs) !== null)) {
    const types = [recordTypes.A, recordTypes.AAAA];
    questions.push(...types.map((type) => ({ name: location.target, type, over })));
  }
  return questions;
}

/** A sign of life over one family is enough, unless it fails to come or addresses of the other run out. */
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

/** Whether it announces addresses of a family over which it was never heard: only a packet proves them its own. */
function isHalfProven({ host, sources }: Instance, nowMs: number): boolean {
  const announced = (host?.addresses(nowMs) ?? []).map(familyOf);
  return announced.some((family) => sources.every((source) => familyOf(source) !== family));
}

/**
 * Asks for all of it in as few packets as hold it.
 *
 * @param known - The known answers to a question for a list.
 * @param unicast - Whether the answers may come to this host alone.
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
