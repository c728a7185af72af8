/** The items in random order, so that a drift of the machine falls on all of them alike. */
export function shuffled<T>(items: readonly T[]): T[] {
  return (
    items
      // Chance is what is wanted here; no result is to be repeated.
      .map((item) => ({ item, rank: Math.random() }))
      .sort((a, b) => a.rank - b.rank)
      .map(({ item }) => item)
  );
}

/** Each item with each number below `times`: one random order after the other. */
export function rounds<T>(
  items: readonly T[],
  times: number,
): { readonly item: T; readonly round: number }[] {
  return Array.from({ length: times }, (_, round) => shuffled(items).map((item) => ({ item, round }))).flat();
}
