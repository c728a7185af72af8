import type { NodeInfo } from "@lmserv/discovery-core";
import { formatEndpoint, isLoopback } from "@lmserv/discovery-core/transport";

/** Bound on reported nodes. */
const maxTold = 64;

/** Warns, once for each, of nodes whose key goes over the network in the clear. */
export class PlainKeys {
  readonly #keyOf: (node: NodeInfo) => string | null;
  readonly #warn: (text: string) => void;
  readonly #told = new Set<string>();

  constructor(keyOf: (node: NodeInfo) => string | null, warn: (text: string) => void) {
    this.#keyOf = keyOf;
    this.#warn = warn;
  }

  look(nodes: readonly NodeInfo[]): void {
    for (const node of nodes) {
      const { scheme, host, port } = node;
      const endpoint = formatEndpoint(host, port);
      if (scheme === "https" || isLoopback(host) || this.#told.has(endpoint)) continue;
      if (this.#keyOf(node) === null || this.#told.size >= maxTold) continue;
      this.#told.add(endpoint);
      this.#warn(
        `the key of ${node.info || node.id} goes to ${endpoint} over plain HTTP, where others on the way can read it; have the server speak TLS, and name it https://${endpoint}`,
      );
    }
  }
}
