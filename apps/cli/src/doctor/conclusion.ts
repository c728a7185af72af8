import { visibleText } from "@lmserv/discovery-core";
import type { Check, TransportPlugin } from "@lmserv/discovery-core/transport";

const nobodyYet =
  "the likeliest cause is that none is announced yet: run lmserv up on the machine that serves";

/** One sentence or two: can servers be found here, and what is to be done. */
export function conclude(checks: readonly Check[], plugins: Iterable<TransportPlugin>): string {
  const [failure] = failuresOf(checks);
  if (checks.some(({ code }) => code === "host/servers-found")) {
    if (failure) return `Servers are found here, though not all ways work: ${said(failure)}`;
    const own = checks.find(({ code }) => code === "host/server-on-loopback");
    return own
      ? `Servers are found here; this machine's own is not: ${said(own)}`
      : "Servers are found here.";
  }
  if (failure) return `Servers cannot be found here: ${said(failure)}`;
  const own = checks.find(({ code }) => code === "host/server-on-loopback");
  if (own) return `No server is found here, and this machine's own is out of reach: ${said(own)}`;
  if (isReached(checks, plugins))
    return `Servers can be found here, and no other machine has one: ${nobodyYet}.`;
  const suspect = suspectAmong(checks);
  const suspicion = suspect ? ` If one is announced: ${said(suspect)}` : "";
  return `No server is found here; ${nobodyYet}.${suspicion}`;
}

/** True if a check proves that other hosts are reached. */
export function isReached(checks: readonly Check[], plugins: Iterable<TransportPlugin>): boolean {
  const proofs = [...plugins].flatMap(({ type, checks: declared = {} }) =>
    Object.entries(declared).flatMap(([word, [, , proof]]) =>
      proof === "others-reached" ? [`${type}/${word}`] : [],
    ),
  );
  return checks.some(({ code, verdict }) => verdict === "ok" && proofs.includes(code));
}

/** Failures of the transports first: the host's are seldom the cause. */
function failuresOf(checks: readonly Check[]): readonly Check[] {
  const failed = checks.filter(({ verdict }) => verdict === "fail");
  return [...failed.filter(({ transport }) => transport !== null), ...failed];
}

/** First suspect; the surroundings come first, since they explain the silence that a transport reports. */
function suspectAmong(checks: readonly Check[]): Check | undefined {
  const suspects = checks.filter(({ verdict, code }) => verdict === "warn" && !irrelevant.has(code));
  return suspects.find(({ transport }) => transport === null) ?? suspects[0];
}

/** Warnings that keep no server from being found. */
const irrelevant: ReadonlySet<string> = new Set(["host/no-server-found", "host/no-default-route"]);

function said({ message, fix }: Check): string {
  return visibleText(fix === null ? `${message}.` : `${message}. To mend it: ${fix}.`);
}
