import type { LinkClose } from "./link.ts";

/** Close codes of WebSocket (RFC 6455 section 7.4): 1001 is "going away"; those from 4000 on are private. */
const codes: Readonly<Record<LinkClose, number>> = {
  leaving: 1_001,
  protocol: 1_002,
  duplicate: 4_409,
  superseded: 4_410,
  conflict: 4_411,
  full: 4_503,
};

export function closeCode(reason: LinkClose): number {
  return codes[reason];
}

/** What a WebSocket says by itself: wrong frames, types, UTF-8, sizes, too much. */
const protocolCodes: readonly number[] = [1_002, 1_003, 1_007, 1_008, 1_009];

/** What a close code of the peer's means. */
export function closeReason(code: number): LinkClose | "unknown" {
  for (const reason of Object.keys(codes) as LinkClose[]) if (codes[reason] === code) return reason;
  return protocolCodes.includes(code) ? "protocol" : "unknown";
}
