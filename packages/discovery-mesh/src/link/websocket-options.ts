import type { ServerOptions } from "ws";
import type { LinkLimits } from "./limits.ts";

/** Those that both sides have; the last two are not in the library's types. */
export interface WebSocketOptions
  extends Pick<ServerOptions, "perMessageDeflate" | "maxPayload" | "maxFragments" | "maxBufferedChunks"> {
  readonly maxPendingAutoPongs: number;
  readonly closeTimeout: number;
}

/** What both sides set: the library's own limits are those of a general purpose. */
export function webSocketOptions(limits: LinkLimits): WebSocketOptions {
  return {
    // It would take 256 KiB for each link, and lets small frames grow.
    perMessageDeflate: false,
    maxPayload: limits.maxMessageBytes,
    maxFragments: limits.maxFragments,
    maxBufferedChunks: limits.maxBufferedChunks,
    maxPendingAutoPongs: limits.maxPendingPongs,
    closeTimeout: limits.closeMs,
  };
}
