import type { AliveRecord } from "@lmserv/discovery-signing";

const hourMs = 3_600_000;
/** Age at which an announcer signs the same anew; leaves a third of a day for wrong clocks. */
const renewAfterMs = 6 * hourMs;
/** Greatest age of a signed value, wrong clocks included. */
const maxAgeMs = 24 * hourMs;

/** True if a value is so old that its announcer would have signed another since. */
export function isOutdated({ signedMs }: AliveRecord, wallMs: number): boolean {
  return signedMs !== undefined && wallMs - signedMs > maxAgeMs;
}

/** True if a value needs a new signature, also because the clock was set meanwhile. */
export function isRenewalDue(signedMs: number, wallMs: number): boolean {
  return Math.abs(wallMs - signedMs) >= renewAfterMs;
}
