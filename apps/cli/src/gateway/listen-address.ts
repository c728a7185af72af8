import { isIP } from "node:net";
import { canonicalAddress, formatEndpoint, isLoopback, isPort } from "@lmserv/discovery-core/transport";

export interface ListenAddress {
  /** IPv4 or IPv6. */
  readonly address: string;
  readonly port: number;
}

export const defaultPort = 8_740;

/**
 * Reads `HOST:PORT` or `HOST`; the host is an address or `localhost`.
 *
 * @throws {RangeError} for anything else; the message says what is allowed.
 */
export function parseListenAddress(text: string): ListenAddress {
  const match = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(text);
  const named = match?.[1] ?? match?.[2] ?? "";
  const address = named === "localhost" ? "127.0.0.1" : named;
  const port = match?.[3] === undefined ? defaultPort : Number(match[3]);
  if (isIP(address) !== 0 && isPort(port)) return { address: canonicalAddress(address), port };
  throw new RangeError(
    `It is not an address and a port, such as 127.0.0.1:${defaultPort} or [::1]:${defaultPort}.`,
  );
}

/** True if other hosts can connect. */
export function isExposed({ address }: ListenAddress): boolean {
  return !isLoopback(address);
}

export function endpointUrl({ address, port }: ListenAddress): string {
  return `http://${formatEndpoint(address, port)}`;
}
