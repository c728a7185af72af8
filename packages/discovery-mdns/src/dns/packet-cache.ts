import { type Decoded, decode } from "./decode.ts";

/** As many hosts as a large link has, and packets as long as a sign of life is: some hundred kilobytes. */
const max = { hosts: 256, bytes: 512 };

interface Known {
  readonly bytes: Uint8Array;
  readonly decoded: Decoded;
}

/** Decodes packets, and knows a response again: a host's signs of life are the same, minute by minute. */
export class PacketCache {
  /** By the address that it came from, the latest of each. */
  readonly #known = new Map<string, Known>();

  decode(bytes: Uint8Array, from: string): Decoded | null {
    const known = this.#known.get(from);
    if (known && Buffer.compare(known.bytes, bytes) === 0) return known.decoded;
    const decoded = decode(bytes);
    if (decoded?.message.response && bytes.length <= max.bytes) this.#keep(from, { bytes, decoded });
    return decoded;
  }

  #keep(from: string, { bytes, decoded }: Known): void {
    const [oldest] = this.#known.keys();
    if (this.#known.size >= max.hosts && oldest !== undefined) this.#known.delete(oldest);
    // Not the socket's own bytes, which may be part of a larger store.
    this.#known.set(from, { bytes: new Uint8Array(bytes), decoded });
  }
}
