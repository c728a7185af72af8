import { absence, type PeerName } from "./peer.ts";

/** Participants of a section, and the reasons of absent ones. */
export interface Participants {
  readonly present: readonly PeerName[];
  readonly absent: ReadonlyMap<PeerName, string>;
}

export async function participants(peers: readonly PeerName[]): Promise<Participants> {
  const reasons = await Promise.all(peers.map(async (peer) => [peer, await absence(peer)] as const));
  const absent = new Map(
    reasons.flatMap(([peer, reason]) => (reason === null ? [] : [[peer, reason] as const])),
  );
  return { present: peers.filter((peer) => !absent.has(peer)), absent };
}
