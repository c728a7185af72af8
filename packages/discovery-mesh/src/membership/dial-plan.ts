/** What is known of one URL. */
interface Route {
  readonly url: string;
  /** Whether it was given to us, and not learned of; those are tried for ever. */
  isSeed: boolean;
  /** Whether another medium tells of it, which may be wrong; for nothing once a member says that it answers there. */
  isCandidate: boolean;
  /** The members that say they answer there. */
  readonly members: Set<string>;
  /** Who answered there last. */
  owner: string | null;
  failures: number;
  dueMs: number;
  /** Being dialled. */
  pending: boolean;
  /** We answer there ourselves. */
  own: boolean;
  /** When a member that says it answers there was last known to be alive. */
  seenMs: number;
  /** Since when a link has lasted that began here. */
  linkedMs: number | null;
}

export interface DialPlanOptions {
  readonly random: () => number;
  /** Whether a member needs to be dialled no more: it has a link, or is ourselves. */
  readonly isServed: (id: string) => boolean;
  /** Whether there is no link at all. */
  readonly isAlone: () => boolean;
  /** Whether there are links enough, whoever has none. @default never */
  readonly isSated?: () => boolean;
}

const firstDelayMs = 500;
const maxDelayMs = 60_000;
/** For those that were there within the last ten minutes, and for seeds while there is nobody at all. */
const maxRecentDelayMs = 8_000;
const recentMs = 600_000;
/** One that has not been seen for a day is looked for by seeds only. */
const forgottenMs = 86_400_000;
/** A link that lasted so long starts the back-off anew. */
const stableMs = 60_000;
/** Between the URLs of one member, so that the second is dialled only if the first takes long. */
const staggerMs = 250;
/** Of hosts that are gone, each is waited for; how many answer at once is paced where they are dialled. */
const maxPending = 32;
/** 256 members with two URLs each, seeds, candidates, and those that are gone. */
const maxRoutes = 1_024;

/** When to dial what: each URL by itself, with full jitter and doubling delays. */
export class DialPlan {
  readonly #options: DialPlanOptions;
  readonly #routes = new Map<string, Route>();

  constructor(options: DialPlanOptions) {
    this.#options = options;
  }

  /** The URLs that were given to us, as they resolve now. */
  seed(urls: readonly string[], nowMs: number): void {
    for (const route of this.#routes.values()) if (!urls.includes(route.url)) route.isSeed = false;
    for (const url of urls) this.#route(url, nowMs).isSeed = true;
  }

  /** The URLs that another medium tells of now. */
  suggest(urls: readonly string[], nowMs: number): void {
    for (const route of this.#routes.values()) route.isCandidate = false;
    for (const url of urls) this.#route(url, nowMs).isCandidate = true;
  }

  /** A member says that it answers there; the first URL is dialled after `delayMs`. */
  learn(id: string, urls: readonly string[], delayMs: number, nowMs: number): void {
    for (const route of this.#routes.values()) if (!urls.includes(route.url)) route.members.delete(id);
    for (const [index, url] of urls.entries()) {
      const dueMs = nowMs + delayMs + index * staggerMs;
      const route = this.#route(url, dueMs);
      route.dueMs = Math.min(route.dueMs, dueMs);
      route.seenMs = nowMs;
      route.members.add(id);
    }
  }

  /** A member was there until now. */
  seen(id: string, nowMs: number): void {
    for (const route of this.#routes.values()) if (route.members.has(id)) route.seenMs = nowMs;
  }

  /** A member left: nobody answers there. */
  forget(id: string): void {
    for (const route of this.#routes.values()) route.members.delete(id);
  }

  /** Who says that it answers there. */
  membersAt(url: string): Iterable<string> {
    return this.#routes.get(url)?.members ?? [];
  }

  /** Who answered; by a URL if we dialled. */
  linked(id: string, url: string | null, nowMs: number): void {
    for (const route of this.#routes.values()) {
      if (route.url === url) this.#answered(route, id, nowMs);
      if (route.owner === id || route.members.has(id)) route.linkedMs ??= nowMs;
    }
  }

  /** A member has no link any more: its URLs are dialled again soon. */
  unlinked(id: string, nowMs: number): void {
    for (const route of this.#routes.values()) {
      if (!route.members.has(id) && route.owner !== id) continue;
      if (route.linkedMs !== null && nowMs - route.linkedMs >= stableMs) route.failures = 0;
      route.linkedMs = null;
      route.seenMs = nowMs;
      this.#defer(route, nowMs, maxRecentDelayMs);
    }
  }

  /** Nobody answered, or somebody who would not have us; `delayMs` when there is no sense in coming back soon. */
  failed(url: string, nowMs: number, delayMs: number = 0): void {
    const route = this.#routes.get(url);
    if (!route) return;
    route.pending = false;
    const isRecent = nowMs - route.seenMs < recentMs || (route.isSeed && this.#options.isAlone());
    this.#defer(route, nowMs, isRecent ? maxRecentDelayMs : maxDelayMs);
    route.dueMs += delayMs;
    route.failures += 1;
  }

  /** It was ourselves who answered. */
  isOwn(url: string): void {
    const route = this.#routes.get(url);
    if (route) Object.assign(route, { pending: false, own: true });
  }

  /** The URLs to dial now; each has to be reported as linked, failed or our own. */
  take(nowMs: number): string[] {
    this.#forgetOld(nowMs);
    if (this.#isSated()) return [];
    const due = [...this.#routes.values()]
      .filter((route) => route.dueMs <= nowMs && this.#isNeeded(route))
      .slice(0, Math.max(0, maxPending - this.#countPending()));
    for (const route of due) route.pending = true;
    return due.map(({ url }) => url);
  }

  nextMs(): number {
    if (this.#isSated() || this.#countPending() >= maxPending) return Number.POSITIVE_INFINITY;
    let next = Number.POSITIVE_INFINITY;
    for (const route of this.#routes.values()) {
      if (route.dueMs < next && this.#isNeeded(route)) next = route.dueMs;
    }
    return next;
  }

  #answered(route: Route, id: string, nowMs: number): void {
    Object.assign(route, { pending: false, owner: id });
    // Somebody took the place of one that said it answers there, and would answer as soon as it is dialled again.
    const isInVain = [...route.members].some((member) => member !== id && !this.#options.isServed(member));
    if (!isInVain) return;
    this.#defer(route, nowMs, maxDelayMs);
    route.failures += 1;
  }

  #route(url: string, dueMs: number): Route {
    const known = this.#routes.get(url);
    if (known) return known;
    if (this.#routes.size >= maxRoutes) this.#dropOldest();
    const route: Route = {
      url,
      isSeed: false,
      isCandidate: false,
      members: new Set(),
      owner: null,
      failures: 0,
      dueMs,
      pending: false,
      own: false,
      seenMs: Number.NEGATIVE_INFINITY,
      linkedMs: null,
    };
    this.#routes.set(url, route);
    return route;
  }

  #defer(route: Route, nowMs: number, capMs: number): void {
    const delayMs = Math.min(capMs, firstDelayMs * 2 ** route.failures);
    route.dueMs = nowMs + this.#options.random() * delayMs;
  }

  #isNeeded({ pending, own, members, isSeed, isCandidate, owner }: Route): boolean {
    if (pending || own) return false;
    const { isServed } = this.#options;
    for (const id of members) if (!isServed(id)) return true;
    const isGiven = isSeed || (isCandidate && members.size === 0);
    return isGiven && (owner === null || !isServed(owner));
  }

  #isSated(): boolean {
    return this.#options.isSated?.() ?? false;
  }

  #countPending(): number {
    let count = 0;
    for (const { pending } of this.#routes.values()) count += Number(pending);
    return count;
  }

  #forgetOld(nowMs: number): void {
    for (const route of this.#routes.values()) {
      const isOld = nowMs - route.seenMs > forgottenMs || route.members.size === 0;
      const isGiven = route.isSeed || route.isCandidate;
      if (isOld && !isGiven && !route.pending && route.linkedMs === null) this.#routes.delete(route.url);
    }
  }

  #dropOldest(): void {
    const idle = [...this.#routes.values()].filter(({ isSeed, pending }) => !isSeed && !pending);
    const [oldest] = idle.sort((a, b) => a.seenMs - b.seenMs);
    if (oldest) this.#routes.delete(oldest.url);
  }
}
