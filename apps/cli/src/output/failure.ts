import { type Discovery, type DiscoveryError, isDiscoveryError } from "@lmserv/discovery-core";
import { explain } from "@lmserv/discovery-core/transport";

/**
 * The reasons for which discovery could not do what it was asked to.
 *
 * @throws what is not a failure of discovery.
 */
export function failuresOf(error: unknown): readonly DiscoveryError[] {
  if (error instanceof AggregateError) return error.errors.flatMap(failuresOf);
  if (isDiscoveryError(error)) return [error];
  throw error;
}

/** Why every chosen transport failed; empty when one never did. */
export function outages({ transports }: Discovery): readonly DiscoveryError[] {
  const errors = transports.flatMap(({ error }) => error ?? []);
  return errors.length === transports.length ? errors : [];
}

/** `mdns: PERMISSION_DENIED: cannot bind: EACCES` */
export function describeFailure(error: DiscoveryError): string {
  const via = error.via === null ? "" : `${error.via}: `;
  return `${via}${error.code}: ${explain(error)}`;
}
