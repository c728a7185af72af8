import type { SweepProgress } from "./transports.ts";

/** What a search is at, as a line for people that only grows longer. */
export interface Progress {
  readonly text: () => string;
  readonly follow: (progress: SweepProgress) => void;
}

export function createProgress(): Progress {
  let sweep: SweepProgress | null = null;
  return {
    follow(progress) {
      sweep = progress;
    },
    text() {
      if (sweep === null) return "looking for LLM servers";
      const { addresses, asked, answered } = sweep;
      return `looking for LLM servers: asked ${asked} of ${addresses} addresses, ${answered} answered`;
    },
  };
}
