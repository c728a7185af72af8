import { type Name, nameKey } from "../dns/name.ts";
import { type Message, type ResourceRecord, recordTypes } from "../dns/record.ts";

/** Questions of other hosts for the list of instances, which may save ours (RFC 6762 section 7.3). */
export class DuplicateQuestions {
  readonly #listName: string;
  readonly #knows: (instance: Name) => boolean;
  /** Who is in the middle of a question whose known answers take several packets; the latest only. */
  #asker: string | null = null;

  constructor(listName: Name, knows: (instance: Name) => boolean) {
    this.#listName = nameKey(listName);
    this.#knows = knows;
  }

  /** Takes a query of another host; true when with it such a question is complete and brings all that ours would. */
  take({ questions, answers, truncated }: Message, from: string): boolean {
    const asks = questions.some(
      ({ name, type, unicast }) => type === recordTypes.PTR && !unicast && nameKey(name) === this.#listName,
    );
    const continues = questions.length === 0 && this.#asker === from;
    if (!asks && !continues) return false;
    const isSame = answers.every((known) => this.#isKnown(known));
    this.#asker = isSame && truncated ? from : null;
    return isSame && !truncated;
  }

  /** What only the asker knows would not be told to it, nor so to us. */
  #isKnown(record: ResourceRecord): boolean {
    return record.type === "PTR" && this.#knows(record.target);
  }
}
