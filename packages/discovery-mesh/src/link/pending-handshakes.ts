import type { Duplex } from "node:stream";
import type { Clock } from "@lmserv/discovery-core/transport";
import { ConnectionSlots } from "@lmserv/discovery-network";
import type { LinkLimits } from "./limits.ts";
import { Refusal } from "./refusal.ts";

/** A connection that has proven nothing yet. */
export interface PendingHandshake {
  /** Aborted, with a `Refusal`, when its time or its place is up; its connection is destroyed with it. */
  readonly signal: AbortSignal;
  /** It has proven itself. */
  readonly leave: () => void;
}

/** Bounds how many connections wait and how long. */
export class PendingHandshakes {
  readonly #clock: Clock;
  readonly #limits: Pick<LinkLimits, "maxUnadmitted" | "admissionMs">;
  readonly #slots: ConnectionSlots;
  readonly #waiting = new Set<(refusal: Refusal) => void>();

  constructor(clock: Clock, limits: Pick<LinkLimits, "maxUnadmitted" | "admissionMs">) {
    this.#clock = clock;
    this.#limits = limits;
    this.#slots = new ConnectionSlots({ all: limits.maxUnadmitted });
  }

  enter(connection: Duplex, address: string): PendingHandshake {
    const { maxUnadmitted, admissionMs } = this.#limits;
    const over = new AbortController();
    const dismiss = (refusal: Refusal): void => {
      leave();
      over.abort(refusal);
      connection.destroy();
    };
    const vacate = this.#slots.take(address, () => {
      dismiss(new Refusal("crowded", `more than ${maxUnadmitted} connections wait`));
    });
    const cancel = this.#clock.schedule(admissionMs, () => {
      dismiss(new Refusal("slow", `it did not prove itself within ${admissionMs} ms`));
    });
    const leave = (): void => {
      cancel();
      vacate();
      this.#waiting.delete(dismiss);
    };
    this.#waiting.add(dismiss);
    connection.once("close", leave);
    return { signal: over.signal, leave };
  }

  dismissAll(): void {
    for (const dismiss of this.#waiting) dismiss(new Refusal("gone", "the listener ends"));
  }
}
