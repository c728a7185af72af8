import { createHash } from "node:crypto";
import { randomHex } from "@lmserv/discovery-core/transport";

/** Random bits that make a name unique without probing (RFC 6762 section 8.1). */
const entropyBits = 80;

/** State that a session leaves to the next one of the same transport. */
export class Memory {
  /** Latest time at which an interface led out of this machine, in ms of the context's clock. */
  ledOutMs: number = Number.NEGATIVE_INFINITY;
  #seed: string | null = null;

  /** Unique part of a node's name; a following session gives the same, so that no second name remains. */
  entropyOf(id: string, random: () => number): string {
    this.#seed ??= randomHex(random, entropyBits);
    const hash = createHash("sha256").update(`${this.#seed} ${id}`);
    return hash.digest("hex").slice(0, entropyBits / 4);
  }
}
