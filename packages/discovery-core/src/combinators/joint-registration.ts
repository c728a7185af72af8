import { type DiscoveryError, isCallerError, toDiscoveryError } from "../contract/errors.ts";
import type {
  Cancellable,
  Registration,
  ResolvedAnnouncement,
  TransportSession,
} from "../contract/transport.ts";
import { onAbort } from "../streams/abort-listener.ts";

/** Session among several on which a node is announced. */
export interface Announcer {
  readonly name: string;
  readonly announce: NonNullable<TransportSession["announce"]>;
}

/**
 * Announces a node on several transports and resolves with the first success; the others may follow later.
 *
 * @throws the caller's mistake, if it is one; otherwise {AggregateError} when all have failed.
 */
export async function announceJointly(
  announcers: readonly Announcer[],
  node: ResolvedAnnouncement,
  signal: AbortSignal,
  report: (error: DiscoveryError) => void,
): Promise<Registration> {
  const joint = new JointRegistration(node);
  // The signal ends the call alone: a registration lives on, and keeps no listener on it.
  const ignore = joint.withdrawOn(signal);
  const attempts = announcers.map((announcer) => joint.join(announcer, report));
  try {
    await Promise.any(attempts);
  } catch {
    await joint[Symbol.asyncDispose]();
    signal.throwIfAborted();
    throw joint.failure();
  } finally {
    ignore();
  }
  joint.reportFailures(report);
  return joint;
}

class JointRegistration implements Registration {
  /** Aborted when the registration is no longer wanted. */
  readonly #withdrawing = new AbortController();
  readonly #registrations: Registration[] = [];
  readonly #attempts: Promise<void>[] = [];
  /** Failures before the first success, which decides if they are reported or thrown. */
  #failures: { readonly name: string; readonly error: unknown }[] | null = [];
  #latest: ResolvedAnnouncement;

  constructor(node: ResolvedAnnouncement) {
    this.#latest = node;
  }

  /** Aborts the attempts when a signal aborts, or did before; returns the function that lets go of the signal. */
  withdrawOn(signal: AbortSignal): () => void {
    const withdraw = (): void => this.#withdrawing.abort(signal.reason);
    if (signal.aborted) withdraw();
    return onAbort(signal, withdraw);
  }

  /** Announces on one more transport; rejects with its failure. */
  join({ name, announce }: Announcer, report: (error: DiscoveryError) => void): Promise<void> {
    const attempt = this.#announce(announce).catch((error: unknown) => {
      if (this.#failures) this.#failures.push({ name, error });
      else if (!this.#withdrawing.signal.aborted) report(asFailure(name, error));
      throw error;
    });
    this.#attempts.push(attempt);
    return attempt;
  }

  /** Error to throw after every attempt failed. */
  failure(): unknown {
    const failures = this.#failures ?? [];
    const callerError = failures.find(({ error }) => isCallerError(error));
    if (callerError) return callerError.error;
    return new AggregateError(
      failures.map(({ name, error }) => asFailure(name, error)),
      "no transport could announce the node",
    );
  }

  /** Reports failures despite a success, from now on as well. */
  reportFailures(report: (error: DiscoveryError) => void): void {
    const failures = this.#failures ?? [];
    this.#failures = null;
    for (const { name, error } of failures) report(asFailure(name, error));
  }

  async update(node: ResolvedAnnouncement, options: Cancellable): Promise<void> {
    this.#latest = node;
    await Promise.all(this.#registrations.map((registration) => registration.update(node, options)));
  }

  /** Aborts running attempts and says goodbye wherever the node is announced. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#withdrawing.abort();
    await Promise.allSettled(this.#attempts);
    await disposeAll(this.#registrations);
  }

  async #announce(announce: Announcer["announce"]): Promise<void> {
    const said = this.#latest;
    const registration = await announce(said, this.#withdrawing);
    this.#registrations.push(registration);
    if (this.#latest !== said) await registration.update(this.#latest, this.#withdrawing);
  }
}

/** A mistake that concerns one transport is a warning, since others have announced the node. */
function asFailure(name: string, error: unknown): DiscoveryError {
  return toDiscoveryError(error, isCallerError(error) ? "SEND_FAILED" : "TRANSPORT_FAILED", name);
}

/** Disposes every resource, also when some fail; then throws their errors. */
export async function disposeAll(resources: readonly AsyncDisposable[]): Promise<void> {
  const results = await Promise.allSettled(resources.map((resource) => resource[Symbol.asyncDispose]()));
  const failed = results.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
  if (failed.length > 0) throw new AggregateError(failed, "not everything could be closed");
}
