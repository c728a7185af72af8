import type { SocketOptions } from "node:dgram";

/**
 * Takes every address for a numeric one, which all here are.
 *
 * It says so within the call, so that a packet leaves when it is sent and not some ticks later, and intervals are
 * not short; binding, the first call, may not hurry. Node's own would compile the pattern of an IPv6 address first,
 * which takes as long as a whole browse.
 */
export function numericLookup(): SocketOptions["lookup"] {
  let isBinding = true;
  return (address, _, callback) => {
    const answer = (): void => callback(null, address, address.includes(":") ? 6 : 4);
    if (isBinding) process.nextTick(answer);
    else answer();
    isBinding = false;
  };
}
