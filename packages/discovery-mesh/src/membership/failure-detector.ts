import { type Directory, isAlive } from "./directory.ts";
import type { IndirectAcks } from "./indirect-acks.ts";
import type { LinkBook } from "./link-book.ts";
import { Suspicion } from "./suspicion.ts";
import { passTo } from "./sync.ts";
import { maxHops, type Timing } from "./timing.ts";

export interface FailureDetectorOptions {
  readonly directory: Directory;
  readonly links: LinkBook;
  readonly indirectAcks: IndirectAcks;
  readonly timing: Timing;
  /** Whether others are asked to vouch; an observer has its peers tell it everything. */
  readonly asks: boolean;
}

/** Why members are believed to be there: by a link, or by a peer that vouches for them. Whoever has neither is doubted. */
export class FailureDetector {
  readonly #options: FailureDetectorOptions;
  readonly #suspicion: Suspicion;
  #settledMs = Number.NEGATIVE_INFINITY;

  constructor(options: FailureDetectorOptions) {
    this.#options = options;
    this.#suspicion = new Suspicion(options.timing.askAfterMs);
  }

  /** We heard of a member that we did not know to be there. */
  told(id: string, from: string, nowMs: number): void {
    const { links, indirectAcks } = this.#options;
    if (links.has(id)) return;
    this.#suspicion.clear(id);
    indirectAcks.hear(id, from);
    // Its own time runs out by itself.
    if (!indirectAcks.isVouchedFor(id)) this.#suspicion.add(id, nowMs, Number.POSITIVE_INFINITY);
  }

  linked(id: string): void {
    this.release(id);
    if (!this.#options.asks) this.#options.links.sendTo(id, { type: "relay", ids: "all" }, "relay");
  }

  /** The last link to a member ended, and with it what that one vouched for. */
  unlinked(id: string, isSilent: boolean, nowMs: number): void {
    const { indirectAcks, timing } = this.#options;
    this.#doubt([id], nowMs, isSilent ? timing.silentGraceMs : timing.graceMs);
    this.#doubt(indirectAcks.drop(id), nowMs, timing.graceMs);
  }

  /** The machine at which a member said it answers says that nobody listens there. */
  refused(id: string, nowMs: number): void {
    this.#doubt([id], nowMs, this.#options.timing.graceMs);
    this.#suspicion.refuse(id);
  }

  /** A peer vouches for members from now on. */
  vouched(peer: string, ids: readonly string[]): void {
    const { links, indirectAcks } = this.#options;
    const unlinked = ids.filter((id) => !links.has(id));
    indirectAcks.vouch(peer, unlinked);
    for (const id of unlinked) this.#suspicion.clear(id);
  }

  /** A peer vouches for them no longer. */
  lost(peer: string, ids: readonly string[], nowMs: number): void {
    const { indirectAcks, timing } = this.#options;
    indirectAcks.withdraw(peer, ids);
    this.#doubt(ids, nowMs, timing.silentGraceMs);
  }

  /** Nobody needs to vouch for a member: it has a link, or is gone. */
  release(id: string): void {
    this.#suspicion.clear(id);
    this.#options.indirectAcks.release(id);
  }

  /** Takes out the members of which nobody says any more that they are there. */
  take(nowMs: number): string[] {
    return this.#suspicion.take(nowMs, this.#options.links.peers.size === 0);
  }

  /** We were not there to be told. */
  grant(nowMs: number): void {
    this.#suspicion.grant(nowMs);
  }

  /** Asks peers to vouch for members, and vouches to them, where that has changed. */
  settle(nowMs: number): void {
    const { asks, links, indirectAcks, directory } = this.#options;
    this.#settledMs = nowMs;
    const isFresh = (id: string): boolean => this.#isFresh(id, nowMs);
    if (asks) {
      for (const { peer, message } of indirectAcks.asks(
        this.#members(),
        this.#needy(nowMs),
        isFresh,
        nowMs,
      )) {
        links.sendTo(peer, message, "relay");
      }
    }
    const vouchable = (id: string, to: string): boolean => this.#canVouch(id, to, nowMs);
    const known = (): readonly string[] => directory.alive().map(({ id }) => id);
    for (const { peer, message } of indirectAcks.promises(vouchable, known)) {
      if (message.type === "vouching") passTo(peer, message.ids, directory, links, nowMs);
      // Each names others: none may take the place of another.
      links.sendTo(peer, message, `${message.type} ${message.ids.join()}`);
    }
  }

  /** When there is something to take, somebody to ask, or a member that we can vouch for no longer, next. */
  nextMs(): number {
    const { directory, indirectAcks, timing } = this.#options;
    let next = this.#suspicion.nextMs();
    if (!indirectAcks.isWanted) return next;
    for (const { state, bornMs } of directory.all()) {
      const staleMs = bornMs + timing.freshMs;
      if (state === "alive" && staleMs > this.#settledMs) next = Math.min(next, staleMs);
    }
    return next;
  }

  /** Members that have neither a link nor a peer to vouch for them are not believed for long. */
  #doubt(ids: readonly string[], nowMs: number, graceMs: number): void {
    const { directory, links, indirectAcks } = this.#options;
    for (const id of ids) {
      const isKnown = isAlive(directory.get(id));
      if (isKnown && !links.has(id) && !indirectAcks.isVouchedFor(id))
        this.#suspicion.add(id, nowMs, graceMs);
    }
  }

  /** The peers that can be asked. */
  #members(): string[] {
    return [...this.#options.links.peers].flatMap(([id, [link]]) =>
      link?.peer.role === "member" ? [id] : [],
    );
  }

  /** For whom others are to vouch: who has no link for a while, and who was lost and may be there after all. */
  #needy(nowMs: number): string[] {
    const { directory, links, indirectAcks } = this.#options;
    const ids = new Set([...this.#suspicion.asked(nowMs), ...indirectAcks.vouchedFor(), ...directory.lost()]);
    return [...ids].filter((id) => !links.has(id));
  }

  /** Whether we have it from the member itself, or from one who has, and not from who asks. */
  #canVouch(id: string, to: string, nowMs: number): boolean {
    const { directory, links, indirectAcks } = this.#options;
    const entry = directory.get(id);
    if (!isAlive(entry) || entry.hops >= maxHops) return false;
    // Who has a link signs as soon as it is asked.
    return links.has(id) || (this.#isFresh(id, nowMs) && indirectAcks.isVouchedForBesides(id, to));
  }

  /** Whether what a member signed last is young enough to be passed on. */
  #isFresh(id: string, nowMs: number): boolean {
    const { directory, timing } = this.#options;
    const entry = directory.get(id);
    return entry !== undefined && nowMs < entry.bornMs + timing.freshMs;
  }
}
