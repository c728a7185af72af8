import {
  answeringAmong,
  canonicalAddress,
  isLoopback,
  type ResolvedAnnouncement,
} from "@lmserv/discovery-core/transport";
import { isHostAddress } from "@lmserv/discovery-network";
import { fittedNodes } from "@lmserv/discovery-signing";
import type { ListenAddress } from "./link/listen-address.ts";
import type { SeenMember } from "./listing.ts";
import type { Statement } from "./membership/local-record.ts";
import { defaultTiming } from "./membership/timing.ts";
import { type Platform, urlsOf } from "./platform.ts";

export interface LocalMemberOptions {
  /** Of our key. */
  readonly id: string;
  readonly platform: Platform;
  /** Null for those that are found out. */
  readonly advertise: readonly string[] | null;
  /** Whether others dial `wss`. */
  readonly secure: boolean;
}

/** A record has room for so many. */
const maxNodes = 16;
const maxUrls = 8;
/** It has room for 16 addresses, those that peers see included. */
const maxAnswering = 8;
/** Peers on several networks may see as many addresses; one that changes with every peer is none. */
const maxObserved = 2;

/** What there is to say of ourselves: our nodes, and where we are. */
export class LocalMember {
  readonly #options: LocalMemberOptions;
  readonly #nodes = new Map<string, ResolvedAnnouncement>();
  readonly #observed = new Set<string>();
  listening: readonly ListenAddress[] = [];

  constructor(options: LocalMemberOptions) {
    this.#options = options;
  }

  /**
   * Takes a node in, or what has changed of it, if `say` can say so.
   *
   * @throws {RangeError} when it is one too many; what `say` throws.
   */
  put(node: ResolvedAnnouncement, say: () => void): void {
    const { id } = node;
    const before = this.#nodes.get(id);
    if (!before && this.#nodes.size >= maxNodes) {
      throw new RangeError(`a member announces ${maxNodes} nodes at most; this would be one more`);
    }
    this.#nodes.set(id, node);
    try {
      say();
    } catch (error) {
      if (before) this.#nodes.set(id, before);
      else this.#nodes.delete(id);
      throw error;
    }
  }

  /** Whether it was there. */
  remove(id: string): boolean {
    return this.#nodes.delete(id);
  }

  /** A peer sees us there; whether that is news. */
  observe(seen: string): boolean {
    const address = canonicalAddress(seen);
    if (!isHostAddress(address) || address.includes("%")) return false;
    // One of our own that we do not name leads to us from our guests only.
    if (this.#options.platform.isOwn(address)) return false;
    if (this.#observed.size >= maxObserved || this.#observed.has(address)) return false;
    this.#observed.add(address);
    return true;
  }

  statement(): Statement {
    const { platform, advertise, secure } = this.#options;
    const own = platform.reachable(this.listening);
    const observed = own.every(isLoopback) ? [] : [...this.#observed];
    const urls = advertise ?? urlsOf(this.listening, [...own, ...observed], secure);
    const addresses = [...this.#answering(own), ...observed];
    return {
      addresses,
      urls: urls.slice(0, maxUrls),
      machine: platform.mark,
      nodes: fittedNodes(this.#named()),
    };
  }

  /** Ourselves, as we list ourselves. */
  seen(): SeenMember {
    const { id, platform } = this.#options;
    const addresses = platform.rankOwn(this.#answering(platform.reachable(this.listening)));
    return { id, nodes: this.#named(), addresses, ttlMs: defaultTiming.ttlMs, relayed: false, heardMs: null };
  }

  /** Those of our own addresses at which any of our nodes answers: a record has one list for all of them. */
  #answering(own: readonly string[]): string[] {
    if (this.#nodes.size === 0) return [...own];
    const nodes = [...this.#nodes.values()];
    return [...new Set(nodes.flatMap(({ addresses }) => answeringAmong(own, addresses)))].slice(
      0,
      maxAnswering,
    );
  }

  /** Where a node answers is said once, by the record. */
  #named(): ResolvedAnnouncement[] {
    const { hostname } = this.#options.platform;
    return [...this.#nodes.values()].map(({ addresses, ...node }) => ({ hostname, ...node }));
  }
}
