/**
 * Longest word to compare: names are shorter, comparing longer words takes time, and they are no typing
 * errors.
 */
const maxLength = 64;

/** Most likely intended word, or null if none is near. */
function nearest(word: string, words: readonly string[]): string | null {
  if (word.length > maxLength) return null;
  const limit = Math.max(1, Math.floor(word.length / 3));
  const [best] = words
    .map((candidate) => ({ candidate, distance: distanceOf(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ distance }) => distance <= limit)
    .sort((a, b) => a.distance - b.distance);
  return best?.candidate ?? null;
}

/** Edit distance: letters added, dropped, changed or swapped with the next (optimal string alignment). */
function distanceOf(from: string, to: string): number {
  let beforeLast: readonly number[] = [];
  let last: readonly number[] = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const at = (line: readonly number[], index: number): number => line[index] ?? Number.POSITIVE_INFINITY;
      const cost = from[row - 1] === to[column - 1] ? 0 : 1;
      const isSwap = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      const swapped = isSwap ? at(beforeLast, column - 2) + 1 : Number.POSITIVE_INFINITY;
      const changed = Math.min(
        at(last, column) + 1,
        at(current, column - 1) + 1,
        at(last, column - 1) + cost,
      );
      current.push(Math.min(changed, swapped));
    }
    beforeLast = last;
    last = current;
  }
  return last[to.length] ?? 0;
}

/** Remedy for an unknown name. */
export function suggestName(name: string, names: readonly string[]): string {
  const meant = nearest(name, names);
  return meant === null ? `known are: ${names.join(", ")}` : `did you mean ${JSON.stringify(meant)}?`;
}
