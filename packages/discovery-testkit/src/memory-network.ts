import type { DiscoveryErrorCode } from "@lmserv/discovery-core";
import type { ResolvedAnnouncement } from "@lmserv/discovery-core/transport";
import { decodeFrame, encodeFrame, type Frame, type Presence, presenceOf } from "./memory-frame.ts";

/** Receiver of a host's frames. */
export interface Listener {
  receive(frame: Uint8Array, from: string): void;
  /** Called when the network died; nothing will be received any more. */
  failed(): void;
}

/** Host's place on the network. */
export interface Link {
  readonly address: string;
  /** Reaches every host at once, the sender too. */
  send(frame: Uint8Array): void;
  leave(): void;
}

/** Node on a host of its own, played by the network. */
interface Stranger {
  readonly address: string;
  readonly presence: Presence;
  readonly silent: boolean;
}

/** Addresses are those of 198.18.0.0/16, half of the range that RFC 2544 reserves for tests. */
const maxHosts = 65_535;

/**
 * Medium inside this process, on which every host hears every other.
 *
 * The network itself plays the nodes of a test: no stimulus passes through the code under test.
 */
export class MemoryNetwork {
  readonly #listeners = new Map<string, Listener>();
  /** By id; bounded by the addresses. */
  readonly #strangers = new Map<string, Stranger>();
  #addresses = 0;
  #sent = 0;
  #refusal: DiscoveryErrorCode | null = null;

  /** Count of frames sent over links, without those of the network itself. */
  get sent(): number {
    return this.#sent;
  }

  /** Error code with which transports fail to open, or null. */
  get refusal(): DiscoveryErrorCode | null {
    return this.#refusal;
  }

  join(listener: Listener): Link {
    const address = this.#newAddress();
    this.#listeners.set(address, listener);
    return {
      address,
      send: (frame) => {
        if (!this.#listeners.has(address)) return;
        this.#sent += 1;
        this.inject(frame, address);
        this.#answer(decodeFrame(frame));
      },
      leave: () => this.#listeners.delete(address),
    };
  }

  /**
   * Puts a node on the network, or changes it: it announces itself and answers questions.
   *
   * @param ttlMs - Lifetime of each of its answers in ms, 1_000..86_400_000.
   * @returns its key, as `memory` reports it.
   */
  appear(node: ResolvedAnnouncement, ttlMs: number = 120_000): string {
    const known = this.#strangers.get(node.id);
    const address = known?.address ?? this.#newAddress();
    const stranger = { address, presence: presenceOf(node, ttlMs), silent: false };
    this.#strangers.set(node.id, stranger);
    this.inject(encodeFrame(stranger.presence), address);
    return `${address}/${node.id}`;
  }

  /** Removes the node with this id from the network, with a goodbye. */
  vanish(id: string): void {
    const { address } = this.#stranger(id);
    this.#strangers.delete(id);
    this.inject(encodeFrame({ kind: "goodbye", id }), address);
  }

  /** Crashes the node with this id: it sends nothing until it appears again. */
  silence(id: string): void {
    this.#strangers.set(id, { ...this.#stranger(id), silent: true });
  }

  /** Delivers arbitrary bytes to every host. */
  inject(frame: Uint8Array, from: string = "198.18.0.0"): void {
    for (const listener of [...this.#listeners.values()]) listener.receive(frame, from);
  }

  /** Fails all its users, and refuses to be opened until `restore`. */
  fail(): void {
    this.refuse("TRANSPORT_UNAVAILABLE");
    const listeners = [...this.#listeners.values()];
    this.#listeners.clear();
    for (const listener of listeners) listener.failed();
  }

  /** Refuses to open a transport until `restore`; open ones go on. */
  refuse(code: DiscoveryErrorCode): void {
    this.#refusal = code;
  }

  restore(): void {
    this.#refusal = null;
  }

  #answer(frame: Frame | null): void {
    for (const { address, presence, silent } of [...this.#strangers.values()]) {
      if (!silent && asksFor(frame, presence)) this.inject(encodeFrame(presence), address);
    }
  }

  #stranger(id: string): Stranger {
    const stranger = this.#strangers.get(id);
    if (!stranger) throw new TypeError(`no node with the id "${id}" appeared on this network`);
    return stranger;
  }

  #newAddress(): string {
    this.#addresses += 1;
    if (this.#addresses > maxHosts) throw new RangeError(`more than ${maxHosts} hosts joined this network`);
    return `198.18.${this.#addresses >> 8}.${this.#addresses & 255}`;
  }
}

/** True if the owner of this presence must answer the frame with it. */
export function asksFor(frame: Frame | null, presence: Presence): boolean {
  if (frame?.kind === "query") return frame.id === null || frame.id === presence.node.id;
  return frame?.kind === "claim" && frame.name === presence.name;
}
