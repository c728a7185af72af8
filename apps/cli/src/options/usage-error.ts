/** Mistake in the command line that only shows when it is carried out. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
