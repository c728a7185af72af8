import type { PassProgress } from "@lmserv/discovery-core/transport";

/** Progress of a search, as a line for people that only grows longer. */
export interface Progress {
  readonly text: () => string;
  readonly follow: (progress: PassProgress) => void;
}

export function createProgress(): Progress {
  let sweep: PassProgress | null = null;
  return {
    follow(progress) {
      sweep = progress;
    },
    text() {
      if (sweep === null) return "looking for LLM servers";
      return `looking for LLM servers: asked ${sweep.done} of ${sweep.total} addresses`;
    },
  };
}
