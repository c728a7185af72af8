import type { Discovery, TransportStatus } from "@lmserv/discovery-core";

/** Reason for a possibly incomplete list, or null once each transport has settled or is lost. */
export function unreadyReason({ transports }: Pick<Discovery, "transports">): string | null {
  const open = transports.filter(({ lost, error, settled }) => lost === null && (settled || error === null));
  if (open.length === 0) return `every transport is lost: ${transports.map(whyOf).join("; ")}`;
  const unsettled = open.filter(({ settled }) => !settled);
  if (unsettled.length === 0) return null;
  return `the first look is not over: ${unsettled.map(({ name }) => name).join(", ")}`;
}

function whyOf({ name, lost, error }: TransportStatus): string {
  return `${name}: ${(lost ?? error)?.message ?? "closed"}`;
}
