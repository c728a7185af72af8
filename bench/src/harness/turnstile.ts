/** Runs what it is given, `places` at a time, in the order of arrival. */
export type Turnstile = <T>(work: () => Promise<T>) => Promise<T>;

export function turnstile(places: number): Turnstile {
  let free = places;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (free === 0) await new Promise<void>((resolve) => waiting.push(resolve));
    else free -= 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    }
  };
}
