import type { Subnet } from "./ipv4.ts";
import type { Pace } from "./sweep/pace.ts";
import type { SweepProgress } from "./sweep/sweep.ts";

/** Options of the transport, checked and complete. */
export interface Settings {
  /** Name of the transport. */
  readonly via: string;
  readonly interfaces: readonly string[] | undefined;
  readonly ports: readonly number[];
  readonly maxNodes: number;
  readonly sweep: boolean;
  readonly subnets: readonly Subnet[] | undefined;
  readonly exclude: readonly Subnet[];
  readonly firstPace: Pace;
  readonly sweepEveryMs: number;
  readonly onProgress: (progress: SweepProgress) => void;
}
