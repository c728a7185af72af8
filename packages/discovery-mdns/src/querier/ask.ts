import { encode, maxPacketBytes } from "../dns/encode.ts";
import { type Question, query, type ResourceRecord, recordTypes } from "../dns/record.ts";
import type { Family } from "../link/interfaces.ts";
import type { Link } from "../link/link.ts";

/** A question, and the families over which it is asked. */
export interface Ask extends Omit<Question, "unicast"> {
  readonly over: readonly Family[];
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
