/** Causes may refer to each other; a deeper chain is a loop. */
const maxDepth = 8;

/** Message of an error with those of its causes, each once. */
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
