import { announcingMutants } from "./mutants/announcing.ts";
import { boundMutants } from "./mutants/bounds.ts";
import { browsingMutants } from "./mutants/browsing.ts";
import { endingMutants } from "./mutants/ending.ts";
import { failureMutants } from "./mutants/failing.ts";
import { leftoverMutants } from "./mutants/leftovers.ts";
import type { Mutant } from "./mutants/mutant.ts";
import { openingMutants } from "./mutants/opening.ts";

/** At least one for each of `transportRules`, all made of `memory`. */
export const mutants: readonly Mutant[] = [
  ...openingMutants,
  ...browsingMutants,
  ...endingMutants,
  ...failureMutants,
  ...announcingMutants,
  ...boundMutants,
  ...leftoverMutants,
];
