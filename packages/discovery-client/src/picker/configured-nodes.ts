import { isIP } from "node:net";
import type { NodeInfo } from "@lmserv/discovery-core";
import { canonicalAddress, formatEndpoint } from "@lmserv/discovery-core/transport";
import { isSigned } from "./policy.ts";

/** Configured values by node; no node gets a value by its own announcement. */
export class ConfiguredNodes<Value> {
  readonly #values: ReadonlyMap<string, Value>;

  /**
   * @param values - By `host:port` of a node with its address, or by the id of a signed node. `http://` or
   * `https://` before an endpoint restricts it to that scheme.
   */
  constructor(values: readonly (readonly [node: string, value: Value])[]) {
    this.#values = new Map(values.map(([node, value]) => [canonicalNode(node), value]));
  }

  /** Value of a node, or null. */
  of(node: NodeInfo): Value | null {
    const { id, host, port, scheme } = node;
    const endpoint = formatEndpoint(host, port);
    const atAddress = this.#values.get(`${scheme}://${endpoint}`) ?? this.#values.get(endpoint);
    return atAddress ?? (isSigned(node) ? this.#values.get(id) : null) ?? null;
  }
}

/** Endpoint in the list's spelling, whatever its own; an id stays unchanged. */
function canonicalNode(node: string): string {
  const [, scheme = "", bracketed, plain, port] =
    /^(https?:\/\/)?(?:\[([^\]]+)\]|([^:/]+)):(\d{1,5})\/?$/.exec(node) ?? [];
  const address = bracketed ?? plain ?? "";
  if (isIP(address.split("%", 1)[0] ?? "") === 0) return node;
  return `${scheme}${formatEndpoint(canonicalAddress(address), Number(port))}`;
}
