import type { Link, LinkClose } from "../link/link.ts";
import type { Message } from "./message.ts";

/** A link that has to end, and why. */
export interface Ending {
  readonly link: Link;
  readonly why: LinkClose;
}

/** As many as one side dials at once; of more, the oldest are leftovers. */
const maxLinksPerPeer = 4;

/**
 * All open links, by peer.
 *
 * Two members may dial each other at once. Both keep the link that the one with the greater id dialled, and
 * close the other when the first has carried a message while both were open, so that at no time there is none.
 */
export class LinkBook {
  readonly #ownId: string;
  /** By peer; the oldest first, never empty. */
  readonly #links = new Map<string, readonly Link[]>();

  constructor(ownId: string) {
    this.#ownId = ownId;
  }

  get peers(): ReadonlyMap<string, readonly Link[]> {
    return this.#links;
  }

  has(id: string): boolean {
    return this.#links.has(id);
  }

  of(id: string): readonly Link[] {
    return this.#links.get(id) ?? [];
  }

  /** Sends to all peers, or to those to whom `isMeant` applies. */
  send(message: Message, coalesceKey: string, isMeant: (peer: string) => boolean = () => true): void {
    let text: string | null = null;
    for (const [peer, links] of this.#links) {
      if (!isMeant(peer)) continue;
      text ??= JSON.stringify(message);
      // Two links to one peer are for a moment only, and what comes twice counts once.
      for (const link of links) link.send(text, coalesceKey);
    }
  }

  sendTo(peer: string, message: Message, coalesceKey: string): void {
    const text = JSON.stringify(message);
    for (const link of this.of(peer)) link.send(text, coalesceKey);
  }

  /** When anything came from that process of a peer last; never, if it has no link. */
  heardMs(id: string, instance: string): number {
    let latestMs = Number.NEGATIVE_INFINITY;
    for (const { peer, heardMs } of this.of(id)) {
      if (peer.instance === instance) latestMs = Math.max(latestMs, heardMs);
    }
    return latestMs;
  }

  holds(link: Link): boolean {
    return this.of(link.peer.id).includes(link);
  }

  /** How many peers there are of a role. */
  count(role: Link["peer"]["role"]): number {
    let count = 0;
    for (const [link] of this.#links.values()) count += Number(link?.peer.role === role);
    return count;
  }

  /**
   * Takes a link into use, and tells which have to end for it: perhaps itself.
   *
   * A later start of a peer takes the place of an earlier one. Of two processes that have one identity and
   * one epoch, the first stays.
   */
  add(link: Link): readonly Ending[] {
    const { id, instance, epoch } = link.peer;
    const others = this.of(id);
    const rivals = others.filter(({ peer }) => peer.instance !== instance);
    if (rivals.some(({ peer }) => peer.epoch >= epoch)) return [{ link, why: "conflict" }];
    const siblings = others.filter(({ peer }) => peer.instance === instance);
    const surplus = siblings.length >= maxLinksPerPeer ? siblings.slice(0, 1) : [];
    const kept = siblings.filter((sibling) => !surplus.includes(sibling));
    this.#links.set(id, [...kept, link]);
    return [
      ...rivals.map((rival) => ({ link: rival, why: "superseded" as const })),
      ...surplus.map((old) => ({ link: old, why: "duplicate" as const })),
    ];
  }

  /** A link carried a message: which others are superfluous now. */
  heard(link: Link): readonly Ending[] {
    const siblings = this.of(link.peer.id);
    if (siblings.length < 2) return [];
    const superfluous = siblings.filter((other) => other !== link && this.#isSuperfluous(other, link));
    for (const other of superfluous) this.remove(other);
    return superfluous.map((other) => ({ link: other, why: "duplicate" }));
  }

  /** Takes out a link that ended; true when it was the peer's last. */
  remove(link: Link): boolean {
    const { id } = link.peer;
    const siblings = this.of(id);
    if (!siblings.includes(link)) return false;
    const left = siblings.filter((other) => other !== link);
    if (left.length > 0) this.#links.set(id, left);
    else this.#links.delete(id);
    return left.length === 0;
  }

  #isSuperfluous(other: Link, heard: Link): boolean {
    const [otherIsRight, heardIsRight] = [other, heard].map((link) => this.#isDialedByGreater(link));
    if (otherIsRight !== heardIsRight) return heardIsRight === true;
    // Whoever dialled twice knows which one it wants; the other side cannot tell a leftover from a duplicate.
    const siblings = this.of(heard.peer.id);
    return heard.dialed && siblings.indexOf(other) > siblings.indexOf(heard);
  }

  #isDialedByGreater({ dialed, peer }: Link): boolean {
    return dialed === this.#ownId > peer.id;
  }
}
