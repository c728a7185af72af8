import { createHash } from "node:crypto";
import { randomHex } from "@lmserv/discovery-core/transport";

/** What makes a name unique enough to go unprobed (RFC 6762 section 8.1). */
const entropyBits = 80;

/** What a session leaves to the next one of the same transport. */
export class Memory {
  /** When an interface led out of this machine last, in ms of the context's clock. */
  ledOutMs: number = Number.NEGATIVE_INFINITY;
  #seed: string | null = null;

  /** Tells the name of a node from all others; a session that follows gives the same, so that no second name is left behind. */
  entropyOf(id: string, random: () => number): string {
    this.#seed ??= randomHex(random, entropyBits);
    const hash = createHash("sha256").update(`${this.#seed} ${id}`);
    return hash.digest("hex").slice(0, entropyBits / 4);
  }
}
