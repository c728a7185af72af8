import { describeNet } from "../vitest.ts";
import { type DefineRequirement, defineAll } from "./requirement.ts";

/** Tests of requirements in LANs, several at once; the last one holds the results against the page. */
export function conformance(theme: string, define: (requirement: DefineRequirement) => void): void {
  describeNet(theme, () => defineAll(define));
}
