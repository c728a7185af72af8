/** Bounds on the attempts to reach one host, in ms and attempts. */
export interface HostBudgetOptions {
  /** Attempts that may begin at once. */
  readonly burst: number;
  /** Wait before the next attempt in ms; it doubles with each. */
  readonly restMs: number;
  readonly maxRestMs: number;
}

interface Account {
  left: number;
  restMs: number;
  /** Time of the next attempt once none is left. */
  dueMs: number;
  lastMs: number;
}

/** Bound on hosts, above what a registry or a mesh names at once; the one tried longest ago is forgotten. */
const maxHosts = 4_096;

/**
 * Bounds the attempts at a host that other nodes named, so that they cannot turn this host against a victim.
 *
 * Every attempt counts until `giveBack` reports success. The caller passes the time, which never goes back.
 */
export class HostBudget {
  readonly #options: HostBudgetOptions;
  /** By host, the latest tried at the end. */
  readonly #accounts = new Map<string, Account>();

  constructor(options: HostBudgetOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#accounts.size;
  }

  /** Time of the next attempt; -Infinity for at once. */
  dueMs(host: string): number {
    const account = this.#accounts.get(host);
    return account && account.left === 0 ? account.dueMs : Number.NEGATIVE_INFINITY;
  }

  /** Returns true if an attempt may begin now, and counts it. */
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

  /** Refunds an attempt that succeeded. */
  giveBack(host: string): void {
    const account = this.#accounts.get(host);
    if (!account) return;
    account.left = Math.min(account.left + 1, this.#options.burst);
    account.restMs = this.#options.restMs / 2;
  }

  /** Account of a host; none after it was left alone for twice the longest rest. */
  #account(host: string, nowMs: number): Account | undefined {
    const account = this.#accounts.get(host);
    if (!account || nowMs - account.lastMs < 2 * this.#options.maxRestMs) return account;
    this.#accounts.delete(host);
    return undefined;
  }
}
