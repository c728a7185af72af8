import { Reminder } from "@lmserv/discovery-core/transport";
import type { RefusalReason } from "./link/refusal.ts";

interface Miss {
  readonly cause: RefusalReason | "unresolved";
  readonly why: string;
}

interface Circumstances {
  /** How many connections came with another key or cluster. */
  readonly turnedAway: number;
  /** Whether there is nothing to dial, and nobody will dial us. */
  readonly knowsNobody: boolean;
  readonly nowMs: number;
}

/** A message names the latest few; the rest of many seeds fail alike. */
const maxMisses = 4;

/** Why no member is reached, for as long as none is. */
export class Silence {
  /** By the URL or name that was dialled, the latest last. */
  readonly #misses = new Map<string, Miss>();
  readonly #reminder = new Reminder();

  miss(where: string, cause: Miss["cause"], why: string): void {
    this.#misses.delete(where);
    this.#misses.set(where, { cause, why });
    const [oldest] = this.#misses.keys();
    if (this.#misses.size > maxMisses && oldest !== undefined) this.#misses.delete(oldest);
  }

  /** A member was reached. */
  end(): void {
    this.#misses.clear();
    this.#reminder.clear();
  }

  /** What to say now, or null: all was said a short time ago, or this may be the first member. */
  reason({ turnedAway, knowsNobody, nowMs }: Circumstances): string | null {
    const [cause, text] = this.#why(turnedAway, knowsNobody);
    return text !== null && this.#reminder.isDue(cause, nowMs) ? text : null;
  }

  #why(turnedAway: number, knowsNobody: boolean): readonly [cause: string, text: string | null] {
    if (this.#misses.size > 0) {
      const misses = [...this.#misses].map(([where, { why }]) => `${where}: ${why}`);
      const causes = new Set([...this.#misses.values()].map(({ cause }) => cause));
      return [[...causes].sort().join(), misses.join("; ")];
    }
    if (turnedAway > 0) {
      return ["turned away", `others dial this one with another key or cluster, ${turnedAway} times so far`];
    }
    return ["nobody", knowsNobody ? "no seed is named, and nothing else tells of a member" : null];
  }
}
