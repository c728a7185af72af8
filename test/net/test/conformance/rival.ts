import type { Answer } from "dns-packet";
import { query } from "../../src/raw-peer/index.ts";

/** A probe of somebody who wants the name at the same moment. */
export function rivalProbe(instance: string, authorities: readonly Answer[]): Buffer {
  return query({ questions: [{ name: instance, type: "ANY" }], authorities });
}
