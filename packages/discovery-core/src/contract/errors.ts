/**
 * Code of an error; `docs/errors.md` has a heading for each. Transports declare further ones, as `type/word`.
 */
export type DiscoveryErrorCode = SharedErrorCode | `${string}/${string}`;

/** By word: a sentence that describes a warning of one transport. It never takes the transport out. */
export type WarningCodes = Readonly<Record<string, string>>;

/** Errors of any transport; true for those that take the transport out. */
const sharedCodes = {
  TRANSPORT_UNAVAILABLE: true,
  PERMISSION_DENIED: true,
  ADDRESS_IN_USE: true,
  NO_INTERFACE: true,
  INTERFACE_UNUSABLE: false,
  TRANSPORT_FAILED: true,
  SEND_FAILED: false,
  SERVER_UNREACHABLE: false,
  NAME_CONFLICT: false,
  NO_ANSWER: false,
  MEDIUM_UNREACHABLE: false,
  STANDBY_RUNS: false,
  REGISTRY_FULL: false,
} as const;

type SharedErrorCode = keyof typeof sharedCodes;

/** Every shared code, for documents, schemas and tests. */
export const discoveryErrorCodes: readonly SharedErrorCode[] = Object.keys(sharedCodes) as SharedErrorCode[];

/** True if an error takes its transport out, and does not merely degrade it. */
export function isFatal({ code }: DiscoveryError): boolean {
  return Object.hasOwn(sharedCodes, code) && sharedCodes[code as SharedErrorCode];
}

export interface DiscoveryErrorOptions {
  /** Name of the transport that failed. @default null */
  readonly via?: string | null;
  readonly cause?: unknown;
}

/**
 * Failure of discovery itself, told apart by `code`.
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

/** True for a `DiscoveryError` of any copy of this package. */
export function isDiscoveryError(error: unknown): error is DiscoveryError {
  return error instanceof Error && error.name === "DiscoveryError" && "code" in error;
}

/** System errors of a refused or occupied address, as codes. */
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

/** True for an error of the caller, which passes through unchanged. */
export function isCallerError(error: unknown): error is TypeError | RangeError {
  return error instanceof TypeError || error instanceof RangeError;
}
