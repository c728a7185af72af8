import { DialPlan } from "../../src/membership/dial-plan.ts";
import { Directory } from "../../src/membership/directory.ts";
import { LinkBook } from "../../src/membership/link-book.ts";
import { LocalRecord } from "../../src/membership/local-record.ts";
import { defaultTiming } from "../../src/membership/timing.ts";

/** Something broken in the membership; the result of `apply` fixes it. */
export interface Mutant {
  readonly name: string;
  /** Of the history that was seen to catch it; the search begins there. */
  readonly seed: number;
  readonly apply: () => () => void;
}

/** Puts something else in the place of a method. */
function replace<K extends PropertyKey, T extends Record<K, unknown>>(
  prototype: T,
  method: K,
  make: (original: T[K]) => T[K],
): () => () => void {
  return () => {
    const original = prototype[method];
    prototype[method] = make(original);
    return () => {
      prototype[method] = original;
    };
  };
}

function both(first: Mutant["apply"], second: Mutant["apply"]): Mutant["apply"] {
  return () => {
    const undo = [first(), second()];
    return () => {
      for (const fix of undo) fix();
    };
  };
}

function forgetAgeOfRenewal(original: Directory["renew"]): Directory["renew"] {
  return function (this: Directory, id, beat, renewal, arrival) {
    return original.call(this, id, beat, renewal, { ...arrival, ageMs: 0 });
  };
}

export const mutants: readonly Mutant[] = [
  {
    name: "takes what is older than what it has",
    seed: 37,
    apply: replace(Directory.prototype, "isNewer", () => () => true),
  },
  {
    name: "compares records by their number alone, whichever start they are of",
    seed: 1,
    apply: replace(
      Directory.prototype,
      "isNewer",
      () =>
        function (this: Directory, record) {
          const known = this.get(record.id);
          return known === undefined || record.seq > known.record.seq;
        },
    ),
  },
  {
    name: "lets an old record bring back who left",
    seed: 37,
    apply: replace(
      Directory.prototype,
      "isNewer",
      (original) =>
        function (this: Directory, record) {
          const isGrave = this.get(record.id)?.state === "left";
          return (isGrave && record.kind === "alive") || original.call(this, record);
        },
    ),
  },
  {
    name: "lets every copy of a sign of life, however old, begin a new life",
    seed: 47,
    apply: both(
      replace(
        Directory.prototype,
        "isRenewedBy",
        () =>
          function (this: Directory, id, beat) {
            const known = this.get(id);
            return known !== undefined && known.state !== "left" && beat >= known.beat;
          },
      ),
      replace(Directory.prototype, "renew", forgetAgeOfRenewal),
    ),
  },
  {
    name: "takes what was passed on for as young as what came from its author",
    seed: 97,
    apply: both(
      replace(
        Directory.prototype,
        "tell",
        (original) =>
          function (this: Directory, record, signed, arrival) {
            return original.call(this, record, signed, { ...arrival, ageMs: 0 });
          },
      ),
      replace(Directory.prototype, "renew", forgetAgeOfRenewal),
    ),
  },
  {
    name: "takes a link for a sign of life though nothing comes over it",
    seed: 127,
    apply: replace(
      LinkBook.prototype,
      "heardMs",
      (original) =>
        function (this: LinkBook, id, instance) {
          return original.call(this, id, instance) + defaultTiming.ttlMs;
        },
    ),
  },
  {
    name: "dials a seed that did not answer never again",
    seed: 3,
    apply: replace(
      DialPlan.prototype,
      "failed",
      (original) =>
        function (this: DialPlan, url, nowMs, delayMs) {
          const isSeedOnly = [...this.membersAt(url)].length === 0;
          original.call(this, url, nowMs, isSeedOnly ? Number.POSITIVE_INFINITY : delayMs);
        },
    ),
  },
  {
    name: "does not look at what was said in its name before",
    seed: 2,
    apply: replace(LocalRecord.prototype, "meet", () => () => {}),
  },
];
