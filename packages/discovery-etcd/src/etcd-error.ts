/**
 * Kind of an etcd fault.
 *
 * `unreachable`: no answer. `leaderless`: it waits for its cluster to elect a leader. `untrusted`: the
 * configured connection is impossible. `refused`: it does not let us. `token`: our token is no longer valid.
 * `missing`: the named object does not exist. `oversized`: more than we accept at once. `rejected`: anything
 * else, such as no space.
 */
export type EtcdErrorKind =
  | "unreachable"
  | "leaderless"
  | "untrusted"
  | "refused"
  | "token"
  | "missing"
  | "oversized"
  | "rejected";

export class EtcdError extends Error {
  override readonly name = "EtcdFault";
  readonly kind: EtcdErrorKind;

  constructor(kind: EtcdErrorKind, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.kind = kind;
  }
}

export function isErrorKind(error: unknown, kind: EtcdErrorKind): boolean {
  return error instanceof EtcdError && error.kind === kind;
}

/** gRPC codes that a gateway passes on (google.rpc.Code). */
const kinds: Readonly<Record<number, EtcdErrorKind>> = {
  1: "unreachable",
  4: "unreachable",
  5: "missing",
  7: "refused",
  14: "unreachable",
  16: "token",
};

/** Messages that say more than their code (etcd 3.4 `rpctypes/error.go`). */
const telling: readonly (readonly [RegExp, EtcdErrorKind])[] = [
  [/invalid auth token|revision of auth store is old|user name is empty/, "token"],
  [/authentication failed|user name not found/, "refused"],
  [/no leader|leader changed|request timed out/, "leaderless"],
  [/not capable|server stopped/, "unreachable"],
];

/** Error in the gateway's answer; null for a result. */
export function errorIn(body: unknown, status: number): EtcdError | null {
  const { error, message, code } = errorOf(body);
  const text = scalarText(message) || scalarText(error);
  if (status === 200 && text === "") return null;
  if (text === "") {
    return new EtcdError(status >= 500 ? "unreachable" : "rejected", `it answers with HTTP ${status}`);
  }
  const told = telling.find(([pattern]) => pattern.test(text))?.[1];
  const kind = told ?? kinds[Number(scalarText(code))] ?? (status >= 500 ? "unreachable" : "rejected");
  return new EtcdError(kind, text.replace(/^etcdserver: /, ""));
}

interface GatewayError {
  readonly error?: unknown;
  readonly message?: unknown;
  readonly code?: unknown;
}

/** Error `{error, message, code}`, in a stream one level deeper: `{error: {message, grpc_code}}`. */
function errorOf(body: unknown): GatewayError {
  const outer = isObject(body) ? body : {};
  if (!isObject(outer.error)) return outer;
  const { message, grpc_code: code } = outer.error;
  return { message, code };
}

export const noTls = "it speaks no TLS, or not with us: try http://";

/** Messages of Node and OpenSSL about a connection, with the remedy if there is one. */
const reasons: readonly (readonly [RegExp, EtcdErrorKind, string])[] = [
  [/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG/, "untrusted", noTls],
  [
    /SELF_SIGNED|UNABLE_TO_(VERIFY|GET_ISSUER)/,
    "untrusted",
    "its certificate comes from an unknown authority: set ca",
  ],
  // A server with TLS hangs up, but others may, too.
  [/socket hang up/, "unreachable", "it hangs up; if it speaks TLS, use https://"],
  [/ALTNAME_INVALID/, "untrusted", "its certificate is of another host: use the name that it is made for"],
  [/CERT_HAS_EXPIRED|CERT_NOT_YET_VALID/, "untrusted", "its certificate is out of date, or a clock is wrong"],
  [
    /ALERT_(CERTIFICATE_REQUIRED|BAD_CERTIFICATE|UNKNOWN_CA|HANDSHAKE_FAILURE)/,
    "refused",
    "it wants a certificate of ours that it trusts: set tls, our certificate and its key",
  ],
];

export function faultOf(error: unknown): EtcdError {
  if (error instanceof EtcdError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const known = reasons.find(([pattern]) => pattern.test(code) || pattern.test(message));
  if (known) return new EtcdError(known[1], known[2], error);
  return new EtcdError("unreachable", message === "" ? code : message, error);
}

/** True if the other side closed the connection with our request unread. */
export function isReset(error: Error): boolean {
  return "code" in error && (error.code === "ECONNRESET" || error.code === "EPIPE");
}

/** Text or number of JSON; empty for anything else, such as an object with a `toString` of its own. */
export function scalarText(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
