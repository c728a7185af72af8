import type { LookOptions, Verdict } from "@lmserv/discovery-identify";
import type { System } from "@lmserv/discovery-network";
import type { TableLoad } from "./headroom.ts";
import type { Target } from "./plan.ts";
import type { NeighborTable } from "./table.ts";

/** What sending came to; an address that could not be asked is no reason to stop. */
export interface SendReport {
  readonly sent: number;
  /** What the system said of one of those that failed, or null. */
  readonly failure: NodeJS.ErrnoException | null;
}

/** What a session needs of its machine. */
export interface Machine {
  readonly system: () => System;
  readonly openTable: () => NeighborTable;
  /** How full the table is; null where the system does not tell. */
  readonly tableLoad: (signal: AbortSignal) => Promise<TableLoad | null>;
  /** Has the system ask for each address by ARP; never rejects. */
  readonly knock: (targets: readonly Target[]) => Promise<SendReport>;
  readonly look: (options: LookOptions) => Promise<Verdict>;
}
