import { backoffMs } from "@lmserv/discovery-core/transport";
import { DialBudget, dialledHost, type Hearsay } from "./dial-budget.ts";

/** What is known of one URL. */
interface Route extends Hearsay {
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

/** How a member is told of. */
export interface Telling {
  /** How long to wait until its first URL is dialled, in ms. @default 0 */
  readonly delayMs?: number;
  /** The member that told of it. @default "": our own memory */
  readonly teller?: string;
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
  readonly #budget = new DialBudget();

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

  /** A member says that it answers there. */
  learn(id: string, urls: readonly string[], { delayMs = 0, teller = "" }: Telling, nowMs: number): void {
    for (const route of this.#routes.values()) if (!urls.includes(route.url)) route.members.delete(id);
    for (const [index, url] of urls.entries()) {
      const dueMs = nowMs + delayMs + index * staggerMs;
      const route = this.#route(url, dueMs, teller);
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
    if (!route) return;
    if (this.#isHearsay(route)) this.#budget.giveBack(route);
    Object.assign(route, { pending: false, own: true });
  }

  /** The URLs to dial now; each has to be reported as linked, failed or our own. */
  take(nowMs: number): string[] {
    this.#forgetOld(nowMs);
    if (this.#isSated()) return [];
    // Whoever was dialled in vain waits for those that were not.
    const due = [...this.#routes.values()]
      .filter((route) => route.dueMs <= nowMs && this.#isNeeded(route))
      .sort((a, b) => a.failures - b.failures);
    const room = maxPending - this.#countPending();
    const chosen: string[] = [];
    for (const route of due) {
      if (chosen.length >= room) break;
      if (this.#isHearsay(route) && !this.#budget.take(route, nowMs)) continue;
      route.pending = true;
      chosen.push(route.url);
    }
    return chosen;
  }

  nextMs(): number {
    if (this.#isSated() || this.#countPending() >= maxPending) return Number.POSITIVE_INFINITY;
    let next = Number.POSITIVE_INFINITY;
    for (const route of this.#routes.values()) {
      if (route.dueMs < next && this.#isNeeded(route)) next = Math.min(next, this.#dueMs(route));
    }
    return next;
  }

  #dueMs(route: Route): number {
    return this.#isHearsay(route) ? Math.max(route.dueMs, this.#budget.dueMs(route)) : route.dueMs;
  }

  /** Whether nobody has answered there, and those who run this side did not name it. */
  #isHearsay({ isSeed, owner }: Route): boolean {
    return !isSeed && owner === null;
  }

  #answered(route: Route, id: string, nowMs: number): void {
    if (this.#isHearsay(route)) this.#budget.giveBack(route);
    Object.assign(route, { pending: false, owner: id });
    // Somebody took the place of one that said it answers there, and would answer as soon as it is dialled again.
    const isInVain = [...route.members].some((member) => member !== id && !this.#options.isServed(member));
    if (!isInVain) return;
    this.#defer(route, nowMs, maxDelayMs);
    route.failures += 1;
  }

  #route(url: string, dueMs: number, teller: string = ""): Route {
    const known = this.#routes.get(url);
    if (known) return known;
    if (this.#routes.size >= maxRoutes) this.#dropWorst();
    const route: Route = {
      url,
      host: dialledHost(url),
      teller,
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

  #defer(route: Route, nowMs: number, maxMs: number): void {
    const pauseMs = backoffMs(route.failures + 1, { firstMs: firstDelayMs, maxMs }, this.#options.random);
    route.dueMs = nowMs + pauseMs;
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

  #dropWorst(): void {
    let worst: Route | undefined;
    for (const route of this.#routes.values()) {
      if (!route.isSeed && !route.pending && (!worst || isWorse(route, worst))) worst = route;
    }
    if (worst) this.#routes.delete(worst.url);
  }
}

/** Where a member answered is worth more than where one is said to be, then where none was missed, then what is new. */
function isWorse(one: Route, other: Route): boolean {
  const [isProven, isOtherProven] = [one.owner !== null, other.owner !== null];
  if (isProven !== isOtherProven) return isOtherProven;
  return one.failures === other.failures ? one.seenMs < other.seenMs : one.failures > other.failures;
}
