/** Reason for an incomplete reply. */
export type Silence =
  /** The host reports that no program listens on the port. */
  | "refused"
  /** The system has no route to the host. */
  | "no-route"
  /** The attempt to connect had no answer: the host is off, asleep, or drops it, or its queue is full. */
  | "no-connection"
  /** The connection was accepted, and no complete answer came in time: busy is not dead. */
  | "no-answer"
  /** The connection was accepted, and closed before the reply was complete. */
  | "closed"
  /** The answer was not HTTP. */
  | "foreign"
  /** The answer to plain HTTP was an alert of TLS. */
  | "encrypted"
  | CertificateFault
  /** This machine has no room for another connection, so that nothing was learnt. */
  | "unasked";

/** Fault of a certificate that must be trusted. */
export type CertificateFault =
  /** No trusted authority signed it. */
  | "untrusted"
  /** It is made for another host. */
  | "misnamed"
  /** It has expired, or is not valid yet. */
  | "expired";

/** Silences of a port that answers, but unreadably. */
export type Unreadable = "foreign" | "encrypted" | CertificateFault;

const unreadable: ReadonlySet<Silence> = new Set<Unreadable>([
  "foreign",
  "encrypted",
  "untrusted",
  "misnamed",
  "expired",
]);

export function isUnreadable(silence: Silence | null): silence is Unreadable {
  return silence !== null && unreadable.has(silence);
}

/** Silence of a system error; codes that start with HPE are the HTTP parser's. */
export function whyFailed(error: NodeJS.ErrnoException): Silence {
  const { code = "" } = error;
  if (code.startsWith("HPE_")) return isTlsAlert(error) ? "encrypted" : "foreign";
  // The server's TLS is unusable, or requires a certificate of the client.
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") return "misnamed";
  if (code === "EPROTO" || code.startsWith("ERR_SSL_") || code.startsWith("ERR_TLS_")) return "foreign";
  if (certificateDates.test(code)) return "expired";
  if (certificateFaults.test(code)) return "untrusted";
  return meanings[code] ?? "no-route";
}

/** True if unparsable HTTP starts like a record of TLS with an alert (RFC 8446 section 5.1). */
function isTlsAlert(error: object): boolean {
  const packet = "rawPacket" in error ? error.rawPacket : null;
  return packet instanceof Uint8Array && packet[0] === 21 && packet[1] === 3;
}

/** Results of X509_verify_cert(3), as Node names them. */
const certificateDates = /^CERT_(?:HAS_EXPIRED|NOT_YET_VALID)$/;
const certificateFaults =
  /^(?:CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|ERROR_IN_CERT_|INVALID_CA|HOSTNAME_MISMATCH)/;

const meanings: Readonly<Record<string, Silence>> = {
  ECONNREFUSED: "refused",
  ETIMEDOUT: "no-connection",
  ECONNRESET: "closed",
  EPIPE: "closed",
  // Limits of this machine.
  EMFILE: "unasked",
  ENFILE: "unasked",
  ENOMEM: "unasked",
  ENOBUFS: "unasked",
  EADDRNOTAVAIL: "unasked",
};
