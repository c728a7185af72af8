/** Responses that are remembered. */
const maxResponses = 1_000;
/** Beginning of an answer in which its id stands. */
const maxBeginning = 4_096;
const idPattern = /"id"\s*:\s*"(resp_[\w-]{1,200})"/;

/**
 * Node of each response: the next request refers to it by `previous_response_id`, which only that node knows.
 */
export class StickyResponses {
  /** Id of the node by id of the response, the oldest first. */
  readonly #nodes = new Map<string, string>();

  nodeOf(response: string | null): string | null {
    return response === null ? null : (this.#nodes.get(response) ?? null);
  }

  /** Reads the id out of the beginning of an answer. */
  note(beginning: Buffer, node: string): void {
    const id = idPattern.exec(beginning.subarray(0, maxBeginning).toString())?.[1];
    if (id === undefined) return;
    this.#nodes.set(id, node);
    const [oldest] = this.#nodes.keys();
    if (this.#nodes.size > maxResponses && oldest !== undefined) this.#nodes.delete(oldest);
  }
}
