import { isIP } from "node:net";

/** Where to listen. */
export interface ListenAddress {
  /** IPv4 or IPv6; `0.0.0.0` and `::` are all of a family. */
  readonly host: string;
  /** 0 takes any that is free. */
  readonly port: number;
}

/** Where members listen unless told otherwise. */
export const defaultMeshPort = 7_946;

/**
 * Reads `0.0.0.0:7946` or `[::]:7946`.
 *
 * @throws {RangeError} for anything else.
 */
export function parseListen(text: string): ListenAddress {
  const [, bracketed, plain, digits = ""] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain ?? "";
  const port = Number(digits);
  if (isIP(host) === (bracketed === undefined ? 4 : 6) && port <= 65_535) return { host, port };
  throw new RangeError(
    `listen holds ${JSON.stringify(text)}, which is not an address and a port such as 0.0.0.0:7946 or [::]:7946`,
  );
}
