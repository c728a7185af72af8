import type { SocketOptions } from "node:dgram";

/**
 * Returns every address as it is: all addresses here are numeric.
 *
 * It calls back at once, so that a packet leaves in the same turn and intervals are not shortened. Binding,
 * the first call, must not call back at once. Node's own lookup would compile its pattern for IPv6 addresses,
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
