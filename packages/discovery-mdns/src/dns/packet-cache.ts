import { type Decoded, decode } from "./decode.ts";

/** Hosts of a large link, and the length of a usual response: some hundred kilobytes together. */
const max = { hosts: 256, bytes: 512 };

interface Known {
  readonly bytes: Uint8Array;
  readonly decoded: Decoded;
}

/** Decodes packets and recognizes repeated ones: a host's periodic responses are equal byte for byte. */
export class PacketCache {
  /** Latest packet of each source address. */
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
    // The socket's bytes may be a part of a larger buffer: copied.
    this.#known.set(from, { bytes: new Uint8Array(bytes), decoded });
  }
}
