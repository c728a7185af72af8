import type { Clock } from "./clock.ts";
import type { Log } from "./log.ts";

/** `ok` holds, `warn` may matter, `fail` keeps nodes from being found, `skip` was not looked at. */
export type Verdict = "ok" | "warn" | "fail" | "skip";

/** What a check found, as a closed list; `docs/doctor.md` has a heading for each. */
export type CheckCode =
  | "INTERFACE_USED"
  | "INTERFACE_LEFT_OUT"
  | "INTERFACE_HAMPERED"
  | "NO_USABLE_INTERFACE"
  | "PORT_FREE"
  | "PORT_SHARED"
  | "PORT_TAKEN"
  | "PORT_DENIED"
  | "MULTICAST_RETURNED"
  | "MULTICAST_NOT_SENT"
  | "MULTICAST_NOT_RETURNED"
  | "MULTICAST_HEARD"
  | "MULTICAST_SILENT"
  | "MULTICAST_DROPPED"
  | "NEIGHBORS_READ"
  | "NEIGHBORS_UNREADABLE"
  | "NEIGHBOR_ROOM"
  | "NEIGHBOR_ROOM_SCARCE"
  | "NEIGHBOR_TABLE_FULL"
  | "NEIGHBOR_ROOM_UNKNOWN"
  | "SWEEP_INCOMPLETE"
  | "SEED_REACHED"
  | "SEED_SPARE_UNREACHABLE"
  | "SEED_UNREACHABLE"
  | "SEED_FOREIGN"
  | "SEED_UNSAFE"
  | "SEED_MISSING"
  | "MESH_KEY_REFUSED"
  | "MESH_KEY_MISSING"
  | "MESH_UNUSED"
  | "ENGINE_READ"
  | "ENGINE_ABSENT"
  | "ENGINE_REFUSES"
  | "ENGINE_UNFIT"
  | "DEFAULT_ROUTE"
  | "NO_DEFAULT_ROUTE"
  | "VPN_SUSPECTED"
  | "CONTAINER_SUSPECTED"
  | "WSL_SUSPECTED"
  | "FIREWALL_PRESENT"
  | "ENVIRONMENT_UNKNOWN"
  | "NOTHING_TO_CHECK"
  | "DIAGNOSIS_FAILED";

/** What each code means for discovery. */
const verdicts: Readonly<Record<CheckCode, Verdict>> = {
  INTERFACE_USED: "ok",
  INTERFACE_LEFT_OUT: "skip",
  INTERFACE_HAMPERED: "warn",
  NO_USABLE_INTERFACE: "fail",
  PORT_FREE: "ok",
  PORT_SHARED: "ok",
  PORT_TAKEN: "fail",
  PORT_DENIED: "fail",
  MULTICAST_RETURNED: "ok",
  MULTICAST_NOT_SENT: "fail",
  MULTICAST_NOT_RETURNED: "fail",
  MULTICAST_HEARD: "ok",
  MULTICAST_SILENT: "warn",
  MULTICAST_DROPPED: "fail",
  NEIGHBORS_READ: "ok",
  NEIGHBORS_UNREADABLE: "fail",
  NEIGHBOR_ROOM: "ok",
  NEIGHBOR_ROOM_SCARCE: "warn",
  NEIGHBOR_TABLE_FULL: "fail",
  NEIGHBOR_ROOM_UNKNOWN: "skip",
  SWEEP_INCOMPLETE: "warn",
  SEED_REACHED: "ok",
  SEED_SPARE_UNREACHABLE: "warn",
  SEED_UNREACHABLE: "fail",
  SEED_FOREIGN: "fail",
  SEED_UNSAFE: "fail",
  SEED_MISSING: "warn",
  MESH_KEY_REFUSED: "fail",
  MESH_KEY_MISSING: "warn",
  MESH_UNUSED: "skip",
  ENGINE_READ: "ok",
  ENGINE_ABSENT: "fail",
  ENGINE_REFUSES: "fail",
  ENGINE_UNFIT: "fail",
  DEFAULT_ROUTE: "ok",
  NO_DEFAULT_ROUTE: "warn",
  VPN_SUSPECTED: "warn",
  CONTAINER_SUSPECTED: "warn",
  WSL_SUSPECTED: "warn",
  FIREWALL_PRESENT: "skip",
  ENVIRONMENT_UNKNOWN: "skip",
  NOTHING_TO_CHECK: "skip",
  DIAGNOSIS_FAILED: "fail",
};

/** Every code, for documents, schemas and tests. */
export const checkCodes: readonly CheckCode[] = Object.keys(verdicts) as CheckCode[];

/** One thing that was looked at. */
export interface Check {
  readonly code: CheckCode;
  readonly verdict: Verdict;
  /** Name of the transport, or null for what concerns them all. */
  readonly transport: string | null;
  /** Name of the network interface, or null for what concerns them all. */
  readonly interface: string | null;
  /** What was found, as a sentence for people. */
  readonly message: string;
  /** What to do about it, or null when there is nothing to do. */
  readonly mend: string | null;
}

export interface Finding {
  readonly message: string;
  /** @default null */
  readonly transport?: string | null;
  /** @default null */
  readonly interface?: string | null;
  /** @default null */
  readonly mend?: string | null;
}

/** Makes a check, whose verdict follows from its code. */
export function check(code: CheckCode, finding: Finding): Check {
  const { message, transport = null, interface: on = null, mend = null } = finding;
  return { code, verdict: verdictOf(code), transport, interface: on, message, mend };
}

/** What a code means for discovery. */
export function verdictOf(code: CheckCode): Verdict {
  return verdicts[code];
}

/** What a transport gets to examine itself with. */
export interface DiagnosisContext {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly log: Log;
  /**
   * Addresses of hosts that were lately seen on this machine's links, with their zones; may be empty.
   *
   * They may be asked something harmless, to find out what does not reach them.
   */
  readonly neighbors: (signal: AbortSignal) => Promise<readonly string[]>;
}
