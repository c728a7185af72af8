import type { DiscoveryError, RegistryChange, TransportStatus } from "@lmserv/discovery-core";

export interface WatchView {
  readonly begin: () => void;
  /** Shows a change; returns false if the reader is behind, so that the next one waits for it. */
  readonly change: (change: RegistryChange) => boolean;
  readonly warn: (warning: DiscoveryError) => void;
  readonly transport: (status: TransportStatus) => void;
  readonly end: () => void;
}

/** Text about a transport that is lost, or back. */
export function describeStatus({ name, lost }: TransportStatus): string {
  return lost ? `${name} is lost, and its nodes are stale: ${lost.message}` : `${name} is back`;
}
