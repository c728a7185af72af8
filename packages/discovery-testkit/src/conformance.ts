import { announcingRules } from "./conformance/announcing.ts";
import { boundRules } from "./conformance/bounds.ts";
import { browsingRules } from "./conformance/browsing.ts";
import { endingRules } from "./conformance/ending.ts";
import { failureRules } from "./conformance/failing.ts";
import type { Capabilities, Fixture } from "./conformance/fixture.ts";
import { leftoverRules } from "./conformance/leftovers.ts";
import { openingRules } from "./conformance/opening.ts";
import type { TransportRule } from "./conformance/rule.ts";

/** Rules of the contract that every transport keeps. */
export const transportRules: readonly TransportRule[] = [
  ...openingRules,
  ...browsingRules,
  ...endingRules,
  ...failureRules,
  ...announcingRules,
  ...boundRules,
  ...leftoverRules,
];

/** The `test` of any runner; a runner's `skip` makes skipped rules visible. */
export interface Register {
  (name: string, run: () => Promise<void>): unknown;
  readonly skip?: (name: string, run: () => Promise<void>) => unknown;
}

export interface ConformanceOptions extends Capabilities {
  /** Makes a fresh medium for each rule. */
  readonly create: () => Promise<Fixture>;
  /** Reason, by rule id, for which a rule does not hold for this transport. */
  readonly skip?: Readonly<Record<string, string>>;
}

/**
 * Registers a test for each rule that the transport must keep.
 *
 * @throws {TypeError} when `skip` names an unknown rule, or gives no reason.
 */
export function transportConformance(register: Register, options: ConformanceOptions): void {
  const { skip = {} } = options;
  assertReasoned(skip);
  for (const rule of transportRules.filter(({ applies }) => applies(options))) {
    const run = (): Promise<void> => hold(rule, options);
    const reason = skip[rule.id];
    if (reason === undefined) register(`${rule.id}: ${rule.title}`, run);
    else register.skip?.(`${rule.id}: ${reason}`, run);
  }
}

/** Checks one transport against one rule; rejects with the fault. */
async function hold(rule: TransportRule, options: ConformanceOptions): Promise<void> {
  await using fixture = await options.create();
  await rule.run(fixture, options);
}

function assertReasoned(skip: Readonly<Record<string, string>>): void {
  const known = transportRules.map(({ id }) => id);
  for (const [id, reason] of Object.entries(skip)) {
    if (!known.includes(id)) throw new TypeError(`no rule is called "${id}"; there are ${known.join(", ")}`);
    if (reason.trim() === "") throw new TypeError(`the rule "${id}" is skipped without a reason`);
  }
}
