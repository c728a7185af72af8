/** Ed25519 key of one node, with the identity derived from it. */
export interface NodeKey {
  /** Fingerprint of the public key. */
  readonly id: string;
  /** Raw 32 bytes in base64url, 43 characters. */
  readonly publicKey: string;
  /** Signs text (as UTF-8) or bytes; the signature is 64 bytes in base64url, 86 characters. */
  sign(bytes: string | Uint8Array): string;
}

/** Identity of a node, with the number of its present start. */
export interface Identity {
  readonly key: NodeKey;
  /** Greater than at every recorded start before. */
  readonly epoch: number;
  /** Path of the file that gives the next start the same key; null for one that ends with the process. */
  readonly keyFile: string | null;
  /** Records an epoch that peers required, so that the next start exceeds it. */
  advance(epoch: number): Promise<void>;
}
