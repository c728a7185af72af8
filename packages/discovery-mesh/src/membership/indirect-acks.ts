import type { Relay, Vouches } from "./message.ts";

/** A message to a peer, as this module would have it sent. */
export interface PeerMessage<T> {
  readonly peer: string;
  readonly message: T;
}

/** One that fails is no gap; more would only say the same. */
const enoughVouchers = 2;
/** In a mesh that is nearly whole each of them can vouch; elsewhere others are asked a little later. */
const maxAsked = 3;
/** How long those have who were asked. */
const turnMs = 2_000;
/** Who does not sign, though asked to, is asked again so much later. */
const againMs = 5_000;
/** An observer that only looks around has gone by then, and what it was told holds for longer. */
const staysMs = 2_500;

/** What a peer was asked for. */
interface Ask {
  /** All of it, to compare. */
  readonly text: string;
  readonly atMs: number;
}

/** What a peer asks for. */
interface Want {
  readonly ids: ReadonlySet<string> | "all";
  readonly sinceMs: number;
}

/**
 * Who passes on the signs of life of members that have no link to us, and for whom we do so.
 *
 * Peers are asked in turn, first of all the one that told us of the member, until two vouch: they have a link to it, or
 * hear of it by one who has.
 */
export class IndirectAcks {
  /** Who vouches to us, by member. */
  readonly #vouchers = new Map<string, Set<string>>();
  /** Who told us of each member that has no link. */
  readonly #informants = new Map<string, string>();
  /** What we asked each peer for last, unless that is nothing. */
  readonly #asked = new Map<string, Ask>();
  /** What each peer asked us for. */
  readonly #wants = new Map<string, Want>();
  /** For whom we vouch, by the peer that asked. */
  readonly #promised = new Map<string, ReadonlySet<string>>();

  /** A peer told us of a member that we did not know. */
  hear(id: string, peer: string): void {
    this.#informants.set(id, peer);
  }

  /** A peer says for whom it vouches from now on. */
  vouch(peer: string, ids: readonly string[]): void {
    for (const id of ids) {
      const vouchers = this.#vouchers.get(id) ?? new Set();
      // Others are not asked any more, and so would not say that they do it no longer.
      if (vouchers.size < enoughVouchers) this.#vouchers.set(id, vouchers.add(peer));
    }
  }

  /** A peer says for whom it no longer does; returns those for whom nobody does now. */
  withdraw(peer: string, ids: readonly string[]): string[] {
    return ids.filter((id) => {
      const vouchers = this.#vouchers.get(id);
      return vouchers?.delete(peer) && vouchers.size === 0 && this.#vouchers.delete(id);
    });
  }

  /** Those for whom somebody vouches. */
  vouchedFor(): string[] {
    return [...this.#vouchers.keys()];
  }

  /** Whether anybody but `peer` vouches for a member. */
  isVouchedForBesides(id: string, peer: string): boolean {
    const vouchers = this.#vouchers.get(id);
    return vouchers !== undefined && vouchers.size > Number(vouchers.has(peer));
  }

  isVouchedFor(id: string): boolean {
    return this.#vouchers.has(id);
  }

  /** Nobody needs to vouch for one that has a link, or left. */
  release(id: string): void {
    this.#vouchers.delete(id);
    this.#informants.delete(id);
  }

  /** A peer says what it wants from now on. */
  want(peer: string, ids: readonly string[] | "all", nowMs: number): void {
    if (ids.length > 0) this.#wants.set(peer, { ids: ids === "all" ? ids : new Set(ids), sinceMs: nowMs });
    else if (this.#wants.delete(peer)) this.#promised.delete(peer);
  }

  /** Whether any peer wants anything. */
  get isWanted(): boolean {
    return this.#wants.size > 0;
  }

  wants(peer: string, id: string): boolean {
    const wanted = this.#wants.get(peer)?.ids;
    return wanted === "all" || wanted?.has(id) === true;
  }

  /** Whether a peer has to sign its signs of life for us, since others have them from us alone. */
  #isNeeded(id: string, nowMs: number): boolean {
    for (const [peer, { ids, sinceMs }] of this.#wants) {
      if (peer === id) continue;
      if (ids === "all" ? nowMs - sinceMs >= staysMs : ids.has(id)) return true;
    }
    return false;
  }

  /** A peer has no link any more; returns those for whom nobody vouches now. */
  drop(peer: string): string[] {
    this.#asked.delete(peer);
    this.#wants.delete(peer);
    this.#promised.delete(peer);
    return this.withdraw(peer, this.vouchedFor());
  }

  /**
   * What to ask of the peers, where that has changed, for the members that need somebody to vouch; of those for which we
   * vouch ourselves, to sign their signs of life. Who does not, as far as `isFresh` knows, is asked again.
   */
  asks(
    peers: readonly string[],
    needy: readonly string[],
    isFresh: (peer: string) => boolean,
    nowMs: number,
  ): PeerMessage<Relay>[] {
    if (needy.length === 0 && this.#asked.size === 0 && !this.isWanted) return [];
    const messages: PeerMessage<Relay>[] = [];
    const askedFor = needy.map((id) => ({ id, asked: this.#askedFor(id, peers, nowMs) }));
    for (const peer of peers) {
      const ids = askedFor.flatMap(({ id, asked }) => (asked.has(peer) ? [id] : []));
      const isNeeded = this.#isNeeded(peer, nowMs);
      if (isNeeded) ids.push(peer);
      const text = ids.join();
      const before = this.#asked.get(peer) ?? { text: "", atMs: nowMs };
      const isUnheard = isNeeded && !isFresh(peer) && nowMs - before.atMs >= againMs;
      if (before.text === text && !isUnheard) continue;
      if (ids.length > 0) this.#asked.set(peer, { text, atMs: nowMs });
      else this.#asked.delete(peer);
      messages.push({ peer, message: { type: "relay", ids } });
    }
    return messages;
  }

  /** What to tell the peers that asked, where that has changed; `vouchable` are those that we can vouch for. */
  promises(
    vouchable: (id: string, to: string) => boolean,
    known: () => readonly string[],
  ): PeerMessage<Vouches>[] {
    const messages: PeerMessage<Vouches>[] = [];
    for (const [peer, { ids: wanted }] of this.#wants) {
      const ids = wanted === "all" ? known() : [...wanted];
      const before = this.#promised.get(peer) ?? new Set();
      const now = new Set(ids.filter((id) => id !== peer && vouchable(id, peer)));
      const gained = [...now].filter((id) => !before.has(id));
      // Of what is not wanted any more nobody has to be told.
      const lost = [...before].filter((id) => !now.has(id) && this.wants(peer, id));
      this.#promised.set(peer, now);
      if (gained.length > 0) messages.push({ peer, message: { type: "vouching", ids: gained } });
      if (lost.length > 0) messages.push({ peer, message: { type: "lost", ids: lost } });
    }
    return messages;
  }

  /** Those who vouch for a member, and as long as these are too few some others. */
  #askedFor(id: string, peers: readonly string[], nowMs: number): ReadonlySet<string> {
    const vouchers = this.#vouchers.get(id) ?? new Set();
    if (vouchers.size >= enoughVouchers) return vouchers;
    const first = (Math.floor(nowMs / turnMs) + Number.parseInt(id.slice(0, 4), 16)) * maxAsked;
    const others = Array.from({ length: Math.min(maxAsked, peers.length) }, (_, index) => {
      return peers[(first + index) % peers.length] ?? id;
    });
    const informant = this.#informants.get(id);
    if (informant !== undefined && peers.includes(informant)) others.unshift(informant);
    return new Set([...vouchers, ...others.filter((peer) => peer !== id).slice(0, maxAsked)]);
  }
}
