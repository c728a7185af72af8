import { addressBlock } from "./address-block.ts";

export interface ConnectionLimits {
  /** Bound on all visitors. */
  readonly all: number;
  /** Bound on the visitors of one address. @default `all` */
  readonly each?: number;
}

interface Slot {
  readonly address: string;
  readonly block: string;
  readonly dismiss: () => void;
}

/**
 * Bounds visitors, so that none keeps others out.
 *
 * A visitor always comes in. Above the bound of an address, its oldest visitor leaves. Above the bound of
 * all, the oldest of the address with the most leaves, in the block with the most. Blocks count because a
 * host on the LAN has as many IPv6 addresses as it likes.
 */
export class ConnectionSlots {
  readonly #limits: Required<ConnectionLimits>;
  /** In order of arrival. */
  readonly #taken = new Set<Slot>();

  constructor({ all, each = all }: ConnectionLimits) {
    this.#limits = { all, each };
  }

  get size(): number {
    return this.#taken.size;
  }

  /**
   * Takes a slot; `dismiss` is called once if another visitor needs it. Returns the function that frees it.
   */
  take(address: string, dismiss: () => void): () => void {
    const { all, each } = this.#limits;
    const own = [...this.#taken].filter((slot) => slot.address === address);
    if (own.length >= each) this.#dismiss(own[0]);
    else if (this.#taken.size >= all) this.#dismiss(this.#worst());
    const slot = { address, block: addressBlock(address), dismiss };
    this.#taken.add(slot);
    return () => void this.#taken.delete(slot);
  }

  #dismiss(slot: Slot | undefined): void {
    if (slot && this.#taken.delete(slot)) slot.dismiss();
  }

  #worst(): Slot | undefined {
    const [block] = largestGroups([...this.#taken], (slot) => slot.block);
    return largestGroups(block ?? [], ({ address }) => address)[0]?.[0];
  }
}

function largestGroups(slots: readonly Slot[], keyOf: (slot: Slot) => string): readonly (readonly Slot[])[] {
  const groups = new Map<string, Slot[]>();
  for (const slot of slots) {
    const group = groups.get(keyOf(slot));
    if (group) group.push(slot);
    else groups.set(keyOf(slot), [slot]);
  }
  return [...groups.values()].sort((a, b) => b.length - a.length);
}
