import { isIP } from "node:net";
import { assertPort, type Clock } from "@lmserv/discovery-core/transport";
import { patient, quick } from "../http/limits.ts";
import { withEitherScheme } from "./exchange.ts";
import type { Fingerprint } from "./fingerprint-result.ts";

export interface FingerprintOptions {
  readonly clock: Clock;
  /** Rejects with its reason when aborted. */
  readonly signal: AbortSignal;
  /** IPv4, or IPv6 with its `%zone` when link-local. */
  readonly host: string;
  readonly port: number;
  /** True for a second look: 1.5 s to connect and 4 s in all instead of 0.4 s and 1.5 s. @default false */
  readonly patient?: boolean;
}

/**
 * Identifies the LLM server at one port, with at most four GET requests.
 *
 * It uses plain HTTP, and TLS with any certificate if a TLS server refuses that.
 *
 * Rejects with `signal.reason`, and never for an act of the other side.
 *
 * @throws {TypeError | RangeError} at once, when `host` is no address or `port` no port.
 */
export function fingerprint({ patient: isPatient, ...options }: FingerprintOptions): Promise<Fingerprint> {
  assertAddress(options.host);
  assertPort(options.port);
  return withEitherScheme({ ...options, patience: isPatient ? patient : quick }, (exchange) =>
    exchange.identify(),
  );
}

/** @throws {TypeError} unless `host` is an address: a name could be another host's the next time. */
export function assertAddress(host: string): void {
  if (isIP(host) === 0) throw new TypeError(`host ${JSON.stringify(host)} must be an IPv4 or IPv6 address`);
}
