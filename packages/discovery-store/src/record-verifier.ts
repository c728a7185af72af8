import { type AliveRecord, type Rejection, verifyRecord } from "@lmserv/discovery-signing";
import { isOutdated } from "./record-age.ts";
import { maxValueBytes } from "./store.ts";
import { keyOf, readValue } from "./value.ts";

/**
 * Reason to refuse a value.
 *
 * `key`: it lies under another record's key. `quota`: its member has too many. `full`: there are too many.
 * `address`: none of its addresses leads to its node. `age`: it was signed too long ago.
 */
export type Refusal = Rejection | "key" | "quota" | "full" | "address" | "age";

export type Verification =
  | { readonly kind: "record"; readonly record: AliveRecord }
  | { readonly kind: "refused"; readonly why: Refusal };

/**
 * Decides if a value in a store is an announcement.
 *
 * The store proves nothing: the signature must be valid, the key right, and the record no older than a day.
 */
export class RecordVerifier {
  readonly #cluster: string;
  readonly #wall: () => number;

  /** @param wall - Time of day, in ms since 1970. */
  constructor(cluster: string, wall: () => number) {
    this.#cluster = cluster;
    this.#wall = wall;
  }

  verify(key: string, value: string): Verification {
    const signed = value.length > maxValueBytes ? null : readValue(value);
    if (!signed) return refuse("shape");
    const verification = verifyRecord(signed, { cluster: this.#cluster });
    if (!verification.accepted) return refuse(verification.why);
    const { record } = verification;
    if (record.kind !== "alive" || record.nodes.length !== 1) return refuse("shape");
    if (this.isOutdated(record)) return refuse("age");
    if (record.addresses.length === 0) return refuse("address");
    if (record.nodes.some(({ id }) => keyOf(record.id, id) !== key)) return refuse("key");
    return { kind: "record", record };
  }

  /** True if a record that was accepted has become too old. */
  isOutdated(record: AliveRecord): boolean {
    return isOutdated(record, this.#wall());
  }
}

function refuse(why: Refusal): Verification {
  return { kind: "refused", why };
}
