import type { NodeInfo } from "@lmserv/discovery-core";
import { ConfiguredNodes } from "./configured-nodes.ts";

/** Key of a node that requires one. */
export interface NodeKey {
  /**
   * `host:port` of the node with its address, as configured by hand, or the id of a signed node.
   *
   * With `https://` before it, the endpoint gets its key over TLS only. Names in announcements do not count.
   */
  readonly node: string;
  /** Bearer token. */
  readonly key: string;
}

export class NodeKeys {
  readonly #keys: ConfiguredNodes<string>;

  /** @throws {TypeError} for invalid keys; the message names the node and never the key. */
  constructor(keys: readonly NodeKey[] = []) {
    for (const { node, key } of keys) {
      if (typeof node !== "string" || node === "") throw new TypeError("a node key must name its node");
      if (typeof key !== "string" || !/^[\x21-\x7e]+$/.test(key)) {
        throw new TypeError(`the key of ${node} must be visible ASCII characters`);
      }
    }
    this.#keys = new ConfiguredNodes(keys.map(({ node, key }) => [node, key]));
  }

  /** Key of a node, or null. */
  of(node: NodeInfo): string | null {
    return this.#keys.of(node);
  }
}
