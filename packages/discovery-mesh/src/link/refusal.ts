/** Why a connection never became a link. */
export type RefusalReason =
  /** More connections than may wait, or too many from one address. */
  | "crowded"
  | "not-found"
  | "no-upgrade"
  | "origin"
  | "host"
  | "subprotocol"
  /** Unencrypted, and to or from an address of the internet. */
  | "exposed"
  /** Not done in time. */
  | "slow"
  | "tls"
  /** The connection went away first. */
  | "gone"
  /** The other side does not want us, and does not say why. */
  | "rejected"
  | "malformed"
  | "wrong-key"
  | "other-cluster"
  /** Both have the key, but not the same channel: something between them ends it. */
  | "relayed"
  /** The identity is not that of the public key, or not signed with its private key. */
  | "identity"
  /** We reached ourselves. */
  | "self"
  /** Nothing answers at the address, or it is no address. */
  | "unreachable"
  /** The machine answers, and nobody listens there. */
  | "no-listener"
  /** What answers is not a mesh. */
  | "not-mesh";

/** A connection that was refused, for the eyes of whoever runs this side: the other side learns nothing of it. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly reason: RefusalReason;

  constructor(reason: RefusalReason, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.reason = reason;
  }
}
