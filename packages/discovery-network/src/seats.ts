import { addressBlock } from "./address-block.ts";

export interface SeatLimits {
  /** Bound on all visitors. */
  readonly all: number;
  /** Bound on the visitors of one address. @default `all` */
  readonly each?: number;
}

interface Seat {
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
export class Seats {
  readonly #limits: Required<SeatLimits>;
  /** In order of arrival. */
  readonly #taken = new Set<Seat>();

  constructor({ all, each = all }: SeatLimits) {
    this.#limits = { all, each };
  }

  get size(): number {
    return this.#taken.size;
  }

  /**
   * Takes a seat; `dismiss` is called once if another visitor needs it. Returns the function that frees it.
   */
  take(address: string, dismiss: () => void): () => void {
    const { all, each } = this.#limits;
    const own = [...this.#taken].filter((seat) => seat.address === address);
    if (own.length >= each) this.#dismiss(own[0]);
    else if (this.#taken.size >= all) this.#dismiss(this.#worst());
    const seat = { address, block: addressBlock(address), dismiss };
    this.#taken.add(seat);
    return () => void this.#taken.delete(seat);
  }

  #dismiss(seat: Seat | undefined): void {
    if (seat && this.#taken.delete(seat)) seat.dismiss();
  }

  #worst(): Seat | undefined {
    const [block] = crowded([...this.#taken], (seat) => seat.block);
    return crowded(block ?? [], ({ address }) => address)[0]?.[0];
  }
}

/** Groups of the same key, the largest first. */
function crowded(seats: readonly Seat[], keyOf: (seat: Seat) => string): readonly (readonly Seat[])[] {
  const groups = new Map<string, Seat[]>();
  for (const seat of seats) {
    const group = groups.get(keyOf(seat));
    if (group) group.push(seat);
    else groups.set(keyOf(seat), [seat]);
  }
  return [...groups.values()].sort((a, b) => b.length - a.length);
}
