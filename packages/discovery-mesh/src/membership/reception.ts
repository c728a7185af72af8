import type { LinkClose } from "../link/link.ts";
import { type Directory, isAlive, momentOf } from "./directory.ts";
import type { LinkBook, MemberLink } from "./link-book.ts";
import type { Presence } from "./presence.ts";

export interface ReceptionOptions {
  /** Ours. */
  readonly id: string;
  readonly instance: string;
  /** How many members a mesh has at most, ourselves included. */
  readonly maxPeers: number;
  readonly directory: Directory;
  readonly links: LinkBook;
  /** Null for an observer. */
  readonly presence: Presence | null;
}

/** An observer costs a member about what a member does. */
const maxObservers = 256;

/** Who may have a link to us. */
export class Reception {
  readonly #options: ReceptionOptions;

  constructor(options: ReceptionOptions) {
    this.#options = options;
  }

  /** Why a link is refused, or null. */
  refusalOf(peer: MemberLink["peer"]): LinkClose | null {
    const { id, instance, maxPeers, directory, links } = this.#options;
    if (peer.id === id) return peer.instance === instance ? "duplicate" : "conflict";
    if (links.has(peer.id)) return null;
    const entry = directory.get(peer.id);
    const isOther = isAlive(entry) && entry.record.instance !== peer.instance;
    if (isOther && momentOf(entry).epoch >= peer.epoch) return "conflict";
    const most = peer.role === "member" ? maxPeers - 1 : maxObservers;
    return links.count(peer.role) < most ? null : "full";
  }

  /** Whether a peer that ended a link over a conflict means that it is for us to be quiet. */
  givesWayTo(peer: MemberLink["peer"]): boolean {
    return peer.id !== this.#options.id || this.isLesserThan(peer);
  }

  /** Of two processes with one identity, the one that started later stays. */
  isLesserThan({ epoch, instance }: MemberLink["peer"]): boolean {
    const own = this.#options.presence?.epoch ?? 0;
    return own < epoch || (own === epoch && this.#options.instance < instance);
  }
}
