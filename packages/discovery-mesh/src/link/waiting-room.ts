import type { Duplex } from "node:stream";
import type { Clock } from "@lmserv/discovery-core";
import { networkOf } from "./accept-quota.ts";
import type { LinkLimits } from "./limits.ts";
import { Refusal } from "./refusal.ts";

/** A connection that has proven nothing yet. */
export interface Visitor {
  /** Aborted, with a `Refusal`, when its time or its place is up; its connection is destroyed with it. */
  readonly signal: AbortSignal;
  /** It has proven itself. */
  readonly leave: () => void;
}

interface Seat {
  readonly network: string;
  readonly dismiss: (refusal: Refusal) => void;
}

/**
 * Bounds how many connections wait and how long.
 *
 * When it is full, the network with the most connections in it loses its oldest: whoever fills it makes room
 * for the next, and one that comes alone does not have to go.
 */
export class WaitingRoom {
  readonly #clock: Clock;
  readonly #limits: Pick<LinkLimits, "maxUnadmitted" | "admissionMs">;
  /** In the order of arrival. */
  readonly #seats = new Set<Seat>();

  constructor(clock: Clock, limits: Pick<LinkLimits, "maxUnadmitted" | "admissionMs">) {
    this.#clock = clock;
    this.#limits = limits;
  }

  enter(connection: Duplex, address: string): Visitor {
    const { maxUnadmitted, admissionMs } = this.#limits;
    if (this.#seats.size >= maxUnadmitted) this.#makeRoom();
    const over = new AbortController();
    const dismiss = (refusal: Refusal): void => {
      leave();
      over.abort(refusal);
      connection.destroy();
    };
    const seat: Seat = { network: networkOf(address), dismiss };
    const cancel = this.#clock.schedule(admissionMs, () => {
      dismiss(new Refusal("slow", `it did not prove itself within ${admissionMs} ms`));
    });
    const leave = (): void => {
      cancel();
      this.#seats.delete(seat);
    };
    this.#seats.add(seat);
    connection.once("close", leave);
    return { signal: over.signal, leave };
  }

  dismissAll(): void {
    for (const { dismiss } of this.#seats) dismiss(new Refusal("gone", "the listener ends"));
  }

  #makeRoom(): void {
    const counts = new Map<string, number>();
    for (const { network } of this.#seats) counts.set(network, (counts.get(network) ?? 0) + 1);
    const most = Math.max(...counts.values());
    for (const { network, dismiss } of this.#seats) {
      if (counts.get(network) !== most) continue;
      dismiss(new Refusal("crowded", `more than ${this.#limits.maxUnadmitted} connections wait`));
      return;
    }
  }
}
