import { describeNet } from "../vitest.ts";
import { type DefineRequirement, defineAll } from "./requirement.ts";

/** Tests of requirements in LANs, several at once; the last one compares the results with the page. */
export function conformance(theme: string, define: (requirement: DefineRequirement) => void): void {
  describeNet(theme, () => defineAll(define));
}
