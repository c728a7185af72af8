/** What the command line asks for cannot be had, as only shows when it is tried. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
