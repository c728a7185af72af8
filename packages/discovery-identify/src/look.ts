import { isIP } from "node:net";
import { assertPort, type Clock } from "@lmserv/discovery-core";
import { interview } from "./interview.ts";
import { patient, quick } from "./limits.ts";
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
export function look(options: LookOptions): Promise<Verdict> {
  assertAddress(options.host);
  assertPort(options.port);
  return converse(options);
}

/** @throws {TypeError} unless `host` is an address: a name could be another host's the next time. */
export function assertAddress(host: string): void {
  if (isIP(host) === 0) throw new TypeError(`host ${JSON.stringify(host)} must be an IPv4 or IPv6 address`);
}

async function converse({ patient: isPatient, ...options }: LookOptions): Promise<Verdict> {
  const patience = isPatient ? patient : quick;
  const endsMs = options.clock.now() + patience.totalMs;
  const plain = await interview({ ...options, scheme: "http", patience }, async (held) => ({
    verdict: await held.identify(),
    seemsTls: held.seemsTls,
  }));
  const totalMs = endsMs - options.clock.now();
  if (!plain.seemsTls || totalMs <= 0) return plain.verdict;
  const left = { ...patience, totalMs };
  const overTls = await interview({ ...options, scheme: "https", patience: left }, (held) => held.identify());
  return isHeard(overTls) ? overTls : plain.verdict;
}

function isHeard(verdict: Verdict): boolean {
  return verdict.kind === "server" || (verdict.kind === "other" && verdict.is !== "foreign");
}
