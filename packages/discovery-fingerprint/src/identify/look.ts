import { isIP } from "node:net";
import { assertPort, type Clock } from "@lmserv/discovery-core/transport";
import { patient, quick } from "../http/limits.ts";
import { interviewEither } from "./interview.ts";
import type { Verdict } from "./verdict.ts";

export interface LookOptions {
  readonly clock: Clock;
  /** Aborting it rejects with its reason. */
  readonly signal: AbortSignal;
  /** IPv4, or IPv6 with its `%zone` when link-local. */
  readonly host: string;
  readonly port: number;
  /** Whether this is a second look, with 1.5 s to connect and 4 s in all instead of 0.4 s and 1.5 s. @default false */
  readonly patient?: boolean;
}

/**
 * Asks one port, with at most four GET requests, which LLM server it is.
 *
 * Over plain HTTP; where that is refused as a server of TLS refuses it, over TLS, whoever vouches for the certificate.
 *
 * Rejects with `signal.reason`, and for nothing that the other side does.
 *
 * @throws {TypeError | RangeError} at once, when `host` is no address or `port` no port.
 */
export function look({ patient: isPatient, ...options }: LookOptions): Promise<Verdict> {
  assertAddress(options.host);
  assertPort(options.port);
  return interviewEither({ ...options, patience: isPatient ? patient : quick }, (held) => held.identify());
}

/** @throws {TypeError} unless `host` is an address: a name could be another host's the next time. */
export function assertAddress(host: string): void {
  if (isIP(host) === 0) throw new TypeError(`host ${JSON.stringify(host)} must be an IPv4 or IPv6 address`);
}
