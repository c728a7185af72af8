/** What went wrong, as a closed list; `docs/errors.md` has a heading for each. */
export type DiscoveryErrorCode =
  | "TRANSPORT_UNAVAILABLE"
  | "PERMISSION_DENIED"
  | "ADDRESS_IN_USE"
  | "NO_INTERFACE"
  | "INTERFACE_UNUSABLE"
  | "TRANSPORT_FAILED"
  | "SEND_FAILED"
  | "SERVER_UNREACHABLE"
  | "NAME_CONFLICT"
  | "NO_ANSWER"
  | "ENGINE_UNREACHABLE"
  | "PASSWORD_EXPOSED"
  | "SWEEP_LIMITED"
  | "STANDBY_RUNS"
  | "REGISTRY_FULL";

/** Every code, for documents, schemas and tests. */
export const discoveryErrorCodes: readonly DiscoveryErrorCode[] = Object.keys({
  TRANSPORT_UNAVAILABLE: true,
  PERMISSION_DENIED: true,
  ADDRESS_IN_USE: true,
  NO_INTERFACE: true,
  INTERFACE_UNUSABLE: true,
  TRANSPORT_FAILED: true,
  SEND_FAILED: true,
  SERVER_UNREACHABLE: true,
  NAME_CONFLICT: true,
  NO_ANSWER: true,
  ENGINE_UNREACHABLE: true,
  PASSWORD_EXPOSED: true,
  SWEEP_LIMITED: true,
  STANDBY_RUNS: true,
  REGISTRY_FULL: true,
} satisfies Record<DiscoveryErrorCode, true>) as DiscoveryErrorCode[];

export interface DiscoveryErrorOptions {
  /** Name of the transport that failed. @default null */
  readonly via?: string | null;
  readonly cause?: unknown;
}

/**
 * A failure of discovery itself, told apart by `code`.
 *
 * Compare `error.code`, not `instanceof`: a process may hold two copies of this package.
 */
export class DiscoveryError extends Error {
  override readonly name = "DiscoveryError";
  readonly code: DiscoveryErrorCode;
  /** Name of the transport that failed, or null. */
  readonly via: string | null;

  constructor(code: DiscoveryErrorCode, message: string, { via = null, cause }: DiscoveryErrorOptions = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.via = via;
  }
}

/** Whether `error` is a `DiscoveryError`, of whichever copy of this package. */
export function isDiscoveryError(error: unknown): error is DiscoveryError {
  return error instanceof Error && error.name === "DiscoveryError" && "code" in error;
}

/** The system errors of a refused or occupied address, as codes. */
const systemCodes: Readonly<Record<string, DiscoveryErrorCode>> = {
  EACCES: "PERMISSION_DENIED",
  EPERM: "PERMISSION_DENIED",
  EADDRINUSE: "ADDRESS_IN_USE",
};

/** Wraps anything thrown into a `DiscoveryError`; a `DiscoveryError` passes unchanged. */
export function toDiscoveryError(
  error: unknown,
  code: DiscoveryErrorCode,
  via: string | null,
): DiscoveryError {
  if (isDiscoveryError(error)) return error;
  const message = error instanceof Error ? error.message : String(error);
  const system = error instanceof Error && "code" in error ? systemCodes[String(error.code)] : undefined;
  return new DiscoveryError(system ?? code, message, { via, cause: error });
}

/** Whether the caller passed what cannot be: an error that stays as it is, whoever it passes through. */
export function isMistake(error: unknown): error is TypeError | RangeError {
  return error instanceof TypeError || error instanceof RangeError;
}
