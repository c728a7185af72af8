import { isIP } from "node:net";
import type { NodeInfo } from "@lmserv/discovery-core";
import { canonicalAddress, formatEndpoint } from "@lmserv/discovery-core/transport";
import { isSigned } from "./policy.ts";

/** Key of nodes that want one. */
export interface NodeKey {
  /**
   * `host:port` of the node with its address, as configured by hand, or the id of a signed node. With `https://` before
   * it, the endpoint is sent its key over TLS only. Names of announcements are neither.
   */
  readonly node: string;
  /** Bearer token. */
  readonly key: string;
}

/** Keys by node, none of which goes to a node by what it says of itself. */
export class NodeKeys {
  readonly #keys: ReadonlyMap<string, string>;

  /** @throws {TypeError} for keys that cannot be; the message names the node and never the key. */
  constructor(keys: readonly NodeKey[] = []) {
    for (const { node, key } of keys) {
      if (typeof node !== "string" || node === "") throw new TypeError("a node key must name its node");
      if (typeof key !== "string" || !/^[\x21-\x7e]+$/.test(key)) {
        throw new TypeError(`the key of ${node} must be visible ASCII characters`);
      }
    }
    this.#keys = new Map(keys.map(({ node, key }) => [canonicalNode(node), key]));
  }

  /** Key of a node, or null. */
  of(node: NodeInfo): string | null {
    const { id, host, port, scheme } = node;
    const endpoint = formatEndpoint(host, port);
    const atAddress = this.#keys.get(`${scheme}://${endpoint}`) ?? this.#keys.get(endpoint);
    return atAddress ?? (isSigned(node) ? this.#keys.get(id) : null) ?? null;
  }
}

/** An endpoint as the list writes it, whichever way its address is spelled; an id as it is. */
function canonicalNode(node: string): string {
  const [, scheme = "", bracketed, plain, port] =
    /^(https?:\/\/)?(?:\[([^\]]+)\]|([^:/]+)):(\d{1,5})\/?$/.exec(node) ?? [];
  const address = bracketed ?? plain ?? "";
  if (isIP(address.split("%", 1)[0] ?? "") === 0) return node;
  return `${scheme}${formatEndpoint(canonicalAddress(address), Number(port))}`;
}
