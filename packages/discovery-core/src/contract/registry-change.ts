import type { NodeInfo } from "./node.ts";

/**
 * Reason for which a node is no longer listed.
 *
 * `superseded`: another identity answers at its endpoint. `displaced`: the list is full and had to make room
 * for others.
 */
export type DownReason = "goodbye" | "unreachable" | "expired" | "superseded" | "displaced";

export type RegistryChange =
  | { readonly kind: "up"; readonly node: NodeInfo }
  | { readonly kind: "updated"; readonly node: NodeInfo }
  | { readonly kind: "down"; readonly node: NodeInfo; readonly reason: DownReason };
