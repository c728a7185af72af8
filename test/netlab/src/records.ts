import type { HostProcess } from "./host-process.ts";
import type { LineSearch } from "./line-log.ts";

/** Reports of a script, one JSON document per line. */
export interface Records<T> {
  /** Records so far. */
  readonly all: () => readonly T[];
  /** Resolves with the first past or future record that fits; `from` counts records. */
  readonly find: (predicate: (record: T, index: number) => boolean, search?: LineSearch) => Promise<T>;
}

/** Parses the lines of `script` from line `first` on. */
export function records<T>(script: HostProcess, first: number, parse: (line: string) => T): Records<T> {
  const parsed: T[] = [];
  const at = (index: number, line: string): T => {
    const record = parsed[index] ?? parse(line);
    parsed[index] = record;
    return record;
  };
  const all = (): readonly T[] => script.lines.slice(first).map((line, index) => at(index, line));

  return {
    all,
    async find(predicate, { from = 0, ...search } = {}) {
      const matches = (line: string, index: number): boolean =>
        predicate(at(index - first, line), index - first);
      return parse(await script.line(matches, { ...search, from: from + first }));
    },
  };
}
