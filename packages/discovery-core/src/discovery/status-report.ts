import { viasOf } from "../combinators/compose.ts";
import { type DiscoveryError, isFatal } from "../contract/errors.ts";
import { type Log, silentLog } from "../contract/log.ts";
import { shielded } from "./shield.ts";

export interface TransportStatus {
  readonly name: string;
  /** True after its first pass over the medium. */
  readonly settled: boolean;
  /** Error that last took it out, or null if it never failed. */
  readonly error: DiscoveryError | null;
  /** Cause of 2 s or more without a session, or null while it has one; its nodes are `stale`. */
  readonly lost: DiscoveryError | null;
}

interface MutableStatus extends TransportStatus {
  settled: boolean;
  error: DiscoveryError | null;
  lost: DiscoveryError | null;
}

/** Enough to explain a failed run; older ones were reported when they happened. */
const maxWarnings = 100;

export interface StatusReportOptions {
  readonly transports: readonly { readonly name: string }[];
  readonly log?: Log;
  readonly onWarning?: (warning: DiscoveryError) => void;
  readonly onTransport?: (status: TransportStatus) => void;
}

/** Faults that did not stop discovery, with the status of each transport. */
export class StatusReport {
  readonly transports: readonly TransportStatus[];
  /** Log of the caller, or a silent one. */
  readonly log: Log;
  readonly #onWarning: (warning: DiscoveryError) => void;
  readonly #onTransport: (status: TransportStatus) => void;
  readonly #closed: AbortSignal;
  readonly #statuses: ReadonlyMap<string, MutableStatus>;
  readonly #warnings: DiscoveryError[] = [];

  /** @param closed - Suppresses all faults once aborted. */
  constructor(
    { transports, log = silentLog, onWarning = () => {}, onTransport = () => {} }: StatusReportOptions,
    closed: AbortSignal,
  ) {
    const statuses = transports
      .flatMap(viasOf)
      .map((name) => ({ name, settled: false, error: null, lost: null }));
    this.transports = statuses;
    this.log = shielded(log);
    this.#onWarning = shielded(onWarning, (error) => this.log("warn", "onWarning failed", { error }));
    this.#onTransport = shielded(onTransport, (error) => this.log("warn", "onTransport failed", { error }));
    this.#closed = closed;
    this.#statuses = new Map(statuses.map((status) => [status.name, status]));
  }

  /** Latest warnings, oldest first. */
  get warnings(): readonly DiscoveryError[] {
    return this.#warnings;
  }

  settle(name: string): void {
    const status = this.#statuses.get(name);
    if (status) status.settled = true;
  }

  /** Reports transports that were lost, or are back. */
  follow(lost: ReadonlyMap<string, DiscoveryError>): void {
    for (const status of this.#statuses.values()) {
      const error = lost.get(status.name) ?? null;
      if (error === status.lost) continue;
      status.lost = error;
      this.#onTransport({ ...status });
    }
  }

  warn(error: DiscoveryError): void {
    if (this.#closed.aborted) return;
    const { code, via, message } = error;
    const status = this.#statuses.get(via ?? "");
    if (status && isFatal(error)) status.error = error;
    this.#warnings.push(error);
    if (this.#warnings.length > maxWarnings) this.#warnings.shift();
    this.log("warn", message, { code, via });
    this.#onWarning(error);
  }
}
