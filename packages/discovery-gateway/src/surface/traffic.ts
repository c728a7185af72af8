import { Histogram } from "./histogram.ts";

/** Upper bounds in seconds: a prompt may take minutes. */
const firstByteBounds = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];
/** As many nodes as a registry lists, and those of the last hour. */
const maxNodes = 11_000;
/** Statuses of HTTP that a node makes up. */
const maxCodes = 100;
/** Label of the endpoint itself, which refused a request. */
export const noNode = "";

/** Counts requests by node and status. */
export class Traffic {
  readonly firstByte: Histogram = new Histogram(firstByteBounds);
  readonly #nodes = new Map<string, Map<number, number>>();

  /** @param node - Id of the node that answered, or `noNode`. */
  count(node: string, status: number): void {
    const codes = this.#nodes.get(node) ?? new Map<number, number>();
    if (!this.#nodes.has(node) && this.#nodes.size >= maxNodes) return;
    if (!codes.has(status) && codes.size >= maxCodes) return;
    codes.set(status, (codes.get(status) ?? 0) + 1);
    this.#nodes.set(node, codes);
  }

  answeredBy(node: string): number {
    return [...(this.#nodes.get(node)?.values() ?? [])].reduce((sum, count) => sum + count, 0);
  }

  forget(node: string): void {
    this.#nodes.delete(node);
  }

  /** Every count: node, status, requests. */
  *counts(): Generator<readonly [node: string, status: number, requests: number]> {
    for (const [node, codes] of this.#nodes) for (const [status, count] of codes) yield [node, status, count];
  }
}
