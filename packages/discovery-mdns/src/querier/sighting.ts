import type { SeenNode } from "@lmserv/discovery-core";

/** What one link tells of one instance. */
export type Sighting =
  | {
      readonly kind: "alive";
      readonly key: string;
      readonly node: SeenNode;
      /** The address that first spoke of it. */
      readonly origin: string;
      /** Lifetime of the SRV record, and when it was heard. */
      readonly ttlMs: number;
      readonly seenMs: number;
    }
  | { readonly kind: "gone"; readonly key: string; readonly reason: "goodbye" | "unreachable" };
