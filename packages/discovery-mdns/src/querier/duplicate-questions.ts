import { type Name, nameKey } from "../dns/name.ts";
import { type Message, type ResourceRecord, recordTypes } from "../dns/record.ts";

/** Questions of other hosts for the list of instances, which suppress ours (RFC 6762 section 7.3). */
export class DuplicateQuestions {
  readonly #listName: string;
  readonly #knows: (instance: Name) => boolean;
  /** Latest querier whose known answers take several packets and are not complete. */
  #asker: string | null = null;

  constructor(listName: Name, knows: (instance: Name) => boolean) {
    this.#listName = nameKey(listName);
    this.#knows = knows;
  }

  /** Takes a query of another host; true when it completes a question whose answers will serve us too. */
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

  /** Answers that only the asker knows would be suppressed, and so would never reach us. */
  #isKnown(record: ResourceRecord): boolean {
    return record.type === "PTR" && this.#knows(record.target);
  }
}
