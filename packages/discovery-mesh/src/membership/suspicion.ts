interface Doubt {
  /** When others are to be asked. */
  askMs: number;
  isAsked: boolean;
  /** When the member is dropped; never if it had no link yet, since its time runs out by itself. */
  dropMs: number;
  readonly graceMs: number;
  /** Whether its machine says that nobody listens there any more. */
  isRefused: boolean;
}

/** Members that are believed to be there and have nobody, neither a link nor a peer, to vouch for them. */
export class Suspicion {
  readonly #askAfterMs: number;
  readonly #doubts = new Map<string, Doubt>();

  constructor(askAfterMs: number) {
    this.#askAfterMs = askAfterMs;
  }

  /** Doubts a member; it is dropped after `graceMs` unless that is cleared up. */
  add(id: string, nowMs: number, graceMs: number): void {
    const known = this.#doubts.get(id);
    if (known && known.dropMs <= nowMs + graceMs) return;
    const isAsked = known?.isAsked ?? false;
    const askMs = Math.min(
      known?.askMs ?? Number.POSITIVE_INFINITY,
      nowMs + Math.min(this.#askAfterMs, graceMs / 2),
    );
    const isRefused = known?.isRefused ?? false;
    this.#doubts.set(id, { askMs, isAsked, dropMs: nowMs + graceMs, graceMs, isRefused });
  }

  clear(id: string): void {
    this.#doubts.delete(id);
  }

  refuse(id: string): void {
    const doubt = this.#doubts.get(id);
    if (doubt) doubt.isRefused = true;
  }

  /** Those to ask others about. */
  asked(nowMs: number): string[] {
    for (const doubt of this.#doubts.values()) doubt.isAsked ||= doubt.askMs <= nowMs;
    return [...this.#doubts].flatMap(([id, { isAsked }]) => (isAsked ? [id] : []));
  }

  /**
   * Takes out those to drop.
   *
   * When there is no link at all, it may be ourselves who are cut off: then a member that does not refuse to be
   * dialled has the time that it said.
   */
  take(nowMs: number, isAlone: boolean): string[] {
    const dropped: string[] = [];
    for (const [id, doubt] of this.#doubts) {
      if (doubt.dropMs > nowMs) continue;
      if (isAlone && !doubt.isRefused) doubt.dropMs = Number.POSITIVE_INFINITY;
      else if (this.#doubts.delete(id)) dropped.push(id);
    }
    return dropped;
  }

  /** We were not there to be told otherwise: all get their time again. */
  grant(nowMs: number): void {
    for (const doubt of this.#doubts.values()) doubt.dropMs = nowMs + doubt.graceMs;
  }

  nextMs(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { askMs, isAsked, dropMs } of this.#doubts.values()) {
      next = Math.min(next, dropMs, isAsked ? next : askMs);
    }
    return next;
  }
}
