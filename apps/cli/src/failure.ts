import { type Discovery, type DiscoveryError, isDiscoveryError } from "@lmserv/discovery-core";

/** Errors point at each other; deeper than this is a loop. */
const maxDepth = 8;

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

/** The message of an error and those of its causes, each once. */
export function explain(error: unknown): string {
  return [...messagesOf(error, 0)].reduce((text, message) =>
    text.includes(message) ? text : `${text}: ${message}`,
  );
}

function* messagesOf(error: unknown, depth: number): Generator<string> {
  yield error instanceof Error ? error.message : String(error);
  if (depth === maxDepth || !(error instanceof Error)) return;
  if (error instanceof AggregateError) for (const inner of error.errors) yield* messagesOf(inner, depth + 1);
  if (error.cause !== undefined) yield* messagesOf(error.cause, depth + 1);
}
