import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import type { ResolvedAnnouncement } from "@lmserv/discovery-core/transport";

/** Host that announces by the documentation alone, without the code under test. */
export class PlainHost {
  readonly #privateKey: KeyObject;
  readonly #publicKey: string;
  readonly id: string;
  #seq = 0;

  constructor() {
    const { privateKey, publicKey } = generateKeyPairSync("ed25519");
    this.#privateKey = privateKey;
    const raw = publicKey.export({ type: "spki", format: "der" }).subarray(-32);
    this.#publicKey = raw.toString("base64url");
    this.id = hash(raw);
  }

  keyOf(node: ResolvedAnnouncement): string {
    return `${this.id}.${hash(node.id)}`;
  }

  valueOf(node: ResolvedAnnouncement, cluster: string, changes: object = {}): string {
    this.#seq += 1;
    const text = JSON.stringify({
      kind: "alive",
      cluster,
      id: this.id,
      epoch: 1,
      seq: this.#seq,
      ttlMs: 2_000,
      instance: "00112233445566ff",
      addresses: ["192.0.2.7"],
      urls: [],
      nodes: [node],
      ...changes,
    });
    return this.signed(text);
  }

  /** Value with any text, signed by this host. */
  signed(text: string): string {
    const signature = sign(null, Buffer.from(text), this.#privateKey).toString("base64url");
    return `${text}\n${this.#publicKey}.${signature}`;
  }
}

function hash(bytes: string | Buffer): string {
  return createHash("sha256").update(bytes).digest("hex").slice(0, 32);
}
