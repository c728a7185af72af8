/** The package has no types of its own, and what it calls differs between systems. */
declare module "arp-a" {
  interface Row {
    readonly ip?: unknown;
    readonly mac?: unknown;
    /** Linux. */
    readonly iface?: unknown;
    /** macOS. */
    readonly ifname?: unknown;
  }
  /** Calls back with each row, then with neither error nor row; undefined on other systems. */
  export const table: ((callback: (error: unknown, row: Row | null) => void) => void) | undefined;
}
