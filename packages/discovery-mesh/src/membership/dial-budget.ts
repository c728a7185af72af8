import { isIP } from "node:net";
import { canonicalAddress } from "@lmserv/discovery-core/transport";
import { HostBudget } from "@lmserv/discovery-network";
import { parseMeshUrl } from "../link/mesh-url.ts";

/** Where nobody has answered yet, as others told of it. */
export interface Hearsay {
  /** What `dialledHost` makes of its URL. */
  readonly host: string;
  /** The member that told of it first; empty where another medium or our own memory did. */
  readonly teller: string;
}

/** As many members as hosts have, and one to spare; the longest rest is that of a member that was there lately. */
const eachHost = { burst: 5, restMs: 2_000, maxRestMs: 8_000 };
/** A mesh of 64 is dialled at once, and what one member told of is done with in half a minute, be it 256. */
const eachTeller = { burst: 64, restMs: 125, maxRestMs: 125 };
/** Several liars leave the others half of that. */
const all = { burst: 128, restMs: 62.5, maxRestMs: 62.5 };
const everybody = "";

/** Bounds the dials to where nobody has answered yet, so that no member turns the others on anybody. */
export class DialBudget {
  readonly #hosts = new HostBudget(eachHost);
  readonly #tellers = new HostBudget(eachTeller);
  readonly #all = new HostBudget(all);

  /** When a URL may be dialled; -Infinity for at once. */
  dueMs({ host, teller }: Hearsay): number {
    return Math.max(this.#hosts.dueMs(host), this.#tellers.dueMs(teller), this.#all.dueMs(everybody));
  }

  /** Whether a URL may be dialled now; counts it if so. */
  take(hearsay: Hearsay, nowMs: number): boolean {
    if (this.dueMs(hearsay) > nowMs) return false;
    this.#hosts.take(hearsay.host, nowMs);
    this.#tellers.take(hearsay.teller, nowMs);
    this.#all.take(everybody, nowMs);
    return true;
  }

  /** A member answered there. */
  giveBack({ host, teller }: Hearsay): void {
    this.#hosts.giveBack(host);
    this.#tellers.giveBack(teller);
    this.#all.giveBack(everybody);
  }
}

/** An address; of a name its domain, since whoever owns that can point any number of names at one host. */
export function dialledHost(url: string): string {
  const { host } = parseMeshUrl(url);
  return isIP(host) === 0 ? host.split(".").slice(-2).join(".") : canonicalAddress(host);
}
