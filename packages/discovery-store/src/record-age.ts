import type { AliveRecord } from "@lmserv/discovery-signing";

const hourMs = 3_600_000;
/** After how long an announcer signs the same anew; a third of a day is left for clocks that go wrong. */
const renewAfterMs = 6 * hourMs;
/** How old a signed value may be, clocks that are wrong by some hours included. */
const maxAgeMs = 24 * hourMs;

/** Whether a value was signed so long ago that its announcer would have signed another since. */
export function isOutdated({ signedMs }: AliveRecord, wallMs: number): boolean {
  return signedMs !== undefined && wallMs - signedMs > maxAgeMs;
}

/** Whether what was signed then is to be signed anew, also because the clock was set meanwhile. */
export function isRenewalDue(signedMs: number, wallMs: number): boolean {
  return Math.abs(wallMs - signedMs) >= renewAfterMs;
}
