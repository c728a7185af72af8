import { type Discovery, type DiscoveryError, isDiscoveryError } from "@lmserv/discovery-core";
import { explain } from "@lmserv/discovery-core/transport";

/**
 * Failures of discovery in an error.
 *
 * @throws any other error.
 */
export function failuresOf(error: unknown): readonly DiscoveryError[] {
  if (error instanceof AggregateError) return error.errors.flatMap(failuresOf);
  if (isDiscoveryError(error)) return [error];
  throw error;
}

/** Latest failure of every chosen transport; empty if one never failed. */
export function failuresOfAll({ transports }: Discovery): readonly DiscoveryError[] {
  const errors = transports.flatMap(({ error }) => error ?? []);
  return errors.length === transports.length ? errors : [];
}

/** Text such as `mdns: PERMISSION_DENIED: cannot bind: EACCES`. */
export function describeFailure(error: DiscoveryError): string {
  const via = error.via === null ? "" : `${error.via}: `;
  return `${via}${error.code}: ${explain(error)}`;
}
