import { DiscoveryError, type DiscoveryErrorCode, isDiscoveryError } from "@lmserv/discovery-core";
import { JetStreamApiError } from "@nats-io/jetstream";
import {
  AuthorizationError,
  NoRespondersError,
  PermissionViolationError,
  TimeoutError,
  UserAuthenticationExpiredError,
} from "@nats-io/transport-node";

/**
 * Server that accepted us but is silent: it is electing a leader, or will never answer. Only time tells
 * which.
 */
export class NoAnswerError extends Error {
  static of(error: unknown): unknown {
    return error instanceof TimeoutError || isLeaderless(error) ? new NoAnswerError(error) : error;
  }

  constructor(cause: unknown) {
    super("JetStream does not answer", { cause });
  }
}

export function isNoAnswer(error: unknown): boolean {
  return NoAnswerError.of(error) instanceof NoAnswerError;
}

/** Codes of a cluster or a bucket without a leader: not available, not leader, offline. */
const leaderless: ReadonlySet<number> = new Set([10_008, 10_009, 10_118]);

function isLeaderless(error: unknown): boolean {
  return error instanceof JetStreamApiError && leaderless.has(error.code);
}

interface Explanation {
  readonly code: "PERMISSION_DENIED" | "MEDIUM_UNREACHABLE" | "TRANSPORT_UNAVAILABLE";
  /** Fault of the server, with the remedy. */
  readonly text: string;
}

export interface Whereabouts {
  readonly place: string;
  readonly via: string;
}

/**
 * Error for a server that cannot be used, with the remedy.
 *
 * @param others - Code for everything but refusals. @default by the error: absent, or unusable
 */
export function failure(
  error: unknown,
  { place, via }: Whereabouts,
  others?: DiscoveryErrorCode,
): DiscoveryError {
  if (isDiscoveryError(error) && (others === undefined || error.code === "PERMISSION_DENIED")) return error;
  if (isDiscoveryError(error))
    return new DiscoveryError(others ?? error.code, error.message, { via, cause: error });
  const { code, text } = explain(error);
  const chosen = code === "PERMISSION_DENIED" ? code : (others ?? code);
  return new DiscoveryError(chosen, `NATS at ${place} ${text}`, { via, cause: error });
}

/** True if the server says that the bucket is missing. */
export function isBucketMissing(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.code === streamNotFound;
}

/**
 * True if no server heard a question.
 *
 * Asked for the bucket, there is no JetStream. For a put, the bucket may be gone, or have no leader.
 */
export function isUnheard(error: unknown): boolean {
  return causes(error).some(
    (cause) => cause instanceof NoRespondersError || nameOf(cause) === "JetStreamNotEnabled",
  );
}

/** True if a put failed because another value than the expected one was there. */
export function isOtherSequence(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.code === wrongLastSequence;
}

/** In a cluster that has just started, the other servers may still be missing. */
const tooFewServers = 10_005;
const streamNotFound = 10_059;
const wrongLastSequence = 10_071;

function explain(error: unknown): Explanation {
  const chain = causes(error);
  const violation = chain.find((cause) => cause instanceof PermissionViolationError);
  if (violation instanceof PermissionViolationError) {
    const { operation, subject } = violation;
    return refusal(`does not let us ${operation} ${JSON.stringify(subject)}: grant that to our user`);
  }
  if (chain.some((cause) => cause instanceof UserAuthenticationExpiredError)) {
    return refusal("says that our credentials have expired: renew them");
  }
  if (chain.some((cause) => cause instanceof AuthorizationError)) {
    return refusal("refuses us: check the user and password, the token, the NKey or the credentials file");
  }
  if (error instanceof NoAnswerError) {
    return absence(
      "lets us in, and its JetStream is silent: the disk may be full, the cluster without a leader",
    );
  }
  return chain.some((cause) => nameOf(cause) === "JetStreamNotEnabled")
    ? unfit(
        "has no JetStream, which keeps the values: start it with --jetstream, and enable it for our account",
      )
    : explainFault(error, chain);
}

function explainFault(error: unknown, chain: readonly unknown[]): Explanation {
  if (error instanceof JetStreamApiError) {
    const text = `cannot keep our values: ${error.message} (${error.code})`;
    return error.code === tooFewServers
      ? absence(`${text}: start the servers that are missing, or ask for fewer replicas`)
      : unfit(text);
  }
  if (error instanceof TimeoutError) return absence("does not answer in time");
  const code = chain.map(codeOf).find((found) => found !== null);
  if (code === "ECONNREFUSED") {
    return absence("is not there, nothing listens: start nats-server, or correct the server's name");
  }
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return absence("is not there: its name does not resolve");
  const message = error instanceof Error && error.message !== "" ? error.message : "the connection ended";
  if (isAboutTls(code))
    return unfit(`cannot be trusted (${message}): give the authority of its certificate as tls.ca`);
  if (message === noEncryption)
    return unfit("speaks in the clear only, and tls:// or a certificate was asked for");
  if (message === unexpectedGreeting) return unfit("is no NATS server: something else listens there");
  return absence(`cannot be used: ${message}${code ? ` (${code})` : ""}`);
}

/** Client's error for a server that does not greet like NATS. */
const unexpectedGreeting = "unexpected response from server";
const noEncryption = "server does not support 'tls'";

function isAboutTls(code: string | null | undefined): boolean {
  return /^ERR_(?:TLS|SSL)|CERT|SIGNED|SIGNATURE/.test(code ?? "");
}

const refusal = (text: string): Explanation => ({ code: "PERMISSION_DENIED", text });
const absence = (text: string): Explanation => ({ code: "MEDIUM_UNREACHABLE", text });
const unfit = (text: string): Explanation => ({ code: "TRANSPORT_UNAVAILABLE", text });

/** Error and its causes, to a depth beyond real chains. */
function causes(error: unknown): readonly unknown[] {
  const chain: unknown[] = [];
  for (let next = error; next instanceof Error && chain.length < 8; next = next.cause) chain.push(next);
  return chain;
}

function codeOf(error: unknown): string | null {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : null;
}

/** The client does not export the error's class. */
function nameOf(error: unknown): string | null {
  return error instanceof Error ? error.name : null;
}
