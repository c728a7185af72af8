interface Newcomer {
  readonly sinceMs: number;
  /** Whether it has said whom it knows, so that all others were told of it. */
  isTold: boolean;
}

/** By then whoever has no link to a newcomer has asked somebody to vouch for it, and is told by those. */
const recentMs = 10_000;
/** As many as a mesh has members: all of them may come at once. */
const maxNewcomers = 256;

/** Members that came to us before anybody told us of them: it is for us to tell the others. */
export class JoinBroadcast {
  /** The first to come first. */
  readonly #newcomers = new Map<string, Newcomer>();

  begin(id: string, nowMs: number): void {
    this.#newcomers.delete(id);
    for (const [old, { sinceMs }] of this.#newcomers) {
      if (nowMs - sinceMs <= recentMs && this.#newcomers.size < maxNewcomers) break;
      this.#newcomers.delete(old);
    }
    this.#newcomers.set(id, { sinceMs: nowMs, isTold: false });
  }

  /** Whether the others are to be told of it now: once. */
  tell(id: string): boolean {
    const newcomer = this.#newcomers.get(id);
    if (!newcomer || newcomer.isTold) return false;
    newcomer.isTold = true;
    return true;
  }

  /** Whether there may be members that know of it by us alone. */
  isRecent(id: string, nowMs: number): boolean {
    const newcomer = this.#newcomers.get(id);
    return newcomer !== undefined && nowMs - newcomer.sinceMs <= recentMs;
  }
}
