/** Bounds of the attempts to reach one host, in ms and attempts. */
export interface HostBudgetOptions {
  /** Attempts that may begin at once. */
  readonly burst: number;
  /** Time to the next attempt after that; it doubles with each. */
  readonly restMs: number;
  readonly maxRestMs: number;
}

interface Account {
  left: number;
  restMs: number;
  /** When the next attempt may begin, once none is left. */
  dueMs: number;
  lastMs: number;
}

/** More hosts than a registry or a mesh names at once; the one that was tried longest ago is forgotten. */
const maxHosts = 4_096;

/**
 * Bounds how often a host is tried because others named it, so that nobody is turned on a third party.
 *
 * Every attempt counts until `giveBack` says that what was sought is there. Whoever calls passes the time, which never
 * goes back.
 */
export class HostBudget {
  readonly #options: HostBudgetOptions;
  /** By host, the one that was tried last at the end. */
  readonly #accounts = new Map<string, Account>();

  constructor(options: HostBudgetOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#accounts.size;
  }

  /** When the next attempt may begin; -Infinity for at once. */
  dueMs(host: string): number {
    const account = this.#accounts.get(host);
    return account && account.left === 0 ? account.dueMs : Number.NEGATIVE_INFINITY;
  }

  /** Whether an attempt may begin now; counts it if so. */
  take(host: string, nowMs: number): boolean {
    const { burst, restMs, maxRestMs } = this.#options;
    if (this.dueMs(host) > nowMs) return false;
    const account = this.#account(host, nowMs) ?? {
      left: burst,
      restMs: restMs / 2,
      dueMs: 0,
      lastMs: nowMs,
    };
    if (account.left > 0) account.left -= 1;
    if (account.left === 0) {
      account.restMs = Math.min(account.restMs * 2, maxRestMs);
      account.dueMs = nowMs + account.restMs;
    }
    account.lastMs = nowMs;
    this.#accounts.delete(host);
    this.#accounts.set(host, account);
    const [oldest] = this.#accounts.keys();
    if (this.#accounts.size > maxHosts && oldest !== undefined) this.#accounts.delete(oldest);
    return true;
  }

  /** An attempt found what it sought, and does not count. */
  giveBack(host: string): void {
    const account = this.#accounts.get(host);
    if (!account) return;
    account.left = Math.min(account.left + 1, this.#options.burst);
    account.restMs = this.#options.restMs / 2;
  }

  /** What is held against a host; nothing once it was left alone for twice the longest rest. */
  #account(host: string, nowMs: number): Account | undefined {
    const account = this.#accounts.get(host);
    if (!account || nowMs - account.lastMs < 2 * this.#options.maxRestMs) return account;
    this.#accounts.delete(host);
    return undefined;
  }
}
