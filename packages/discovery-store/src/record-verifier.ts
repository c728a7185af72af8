import { type AliveRecord, type Rejection, verifyRecord } from "@lmserv/discovery-signing";
import { isOutdated } from "./record-age.ts";
import { maxValueBytes } from "./store.ts";
import { keyOf, readValue } from "./value.ts";

/**
 * Why a value does not count; `key`: it lies where another one belongs; `quota`: its member has too many; `full`: there
 * are too many; `address`: nothing that it names leads to its node; `age`: it was signed too long ago.
 */
export type Refusal = Rejection | "key" | "quota" | "full" | "address" | "age";

export type Verification =
  | { readonly kind: "record"; readonly record: AliveRecord }
  | { readonly kind: "refused"; readonly why: Refusal };

/**
 * Decides whether what lies in a store is an announcement. Nobody vouches for what is found there: only the
 * signature counts, and that the record is where it belongs, and no older than a day.
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
    const verdict = verifyRecord(signed, { cluster: this.#cluster });
    if (!verdict.accepted) return refuse(verdict.why);
    const { record } = verdict;
    if (record.kind !== "alive" || record.nodes.length !== 1) return refuse("shape");
    if (this.isOutdated(record)) return refuse("age");
    if (record.addresses.length === 0) return refuse("address");
    if (record.nodes.some(({ id }) => keyOf(record.id, id) !== key)) return refuse("key");
    return { kind: "record", record };
  }

  /** Whether a record that was accepted is too old by now. */
  isOutdated(record: AliveRecord): boolean {
    return isOutdated(record, this.#wall());
  }
}

function refuse(why: Refusal): Verification {
  return { kind: "refused", why };
}
