/** The Ed25519 key of one node, and the identity that follows from it. */
export interface NodeKey {
  /** Fingerprint of the public key. */
  readonly id: string;
  /** The raw 32 bytes in base64url, 43 characters. */
  readonly publicKey: string;
  /** Signs text (as UTF-8) or bytes; the signature is 64 bytes in base64url, 86 characters. */
  sign(bytes: string | Uint8Array): string;
}

/** Who a node is, and which start of it this is. */
export interface Identity {
  readonly key: NodeKey;
  /** Greater than at every start before, as far as they were recorded. */
  readonly epoch: number;
  /** Path of the file that gives the next start the same key; null for one that ends with the process. */
  readonly keyFile: string | null;
  /** Records an epoch that others made necessary, for the next start to be above it. */
  advance(epoch: number): Promise<void>;
}
