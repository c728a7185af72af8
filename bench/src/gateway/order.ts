/** Name of a way to the upstream, and its origin. */
export type Targets = Readonly<Record<string, string>>;

/** Asks the client program for one measurement; its answer is one line of JSON. */
export type Order =
  /** Requests of so many bytes in turns; answers with samples for each target. */
  | { readonly kind: "latency"; readonly targets: Targets; readonly rounds: number; readonly bytes: number }
  /** Requests by so many clients at once; answers with requests a second. */
  | { readonly kind: "rate"; readonly target: string; readonly clients: number; readonly seconds: number }
  /** Opens streams, which stay; answers with their number once each has its first token. */
  | { readonly kind: "open"; readonly target: string; readonly streams: number }
  /** Closes them; answers with the time at which it did, in ms of the system's monotonic clock. */
  | { readonly kind: "close" };

/** Samples of one target, in ms. */
export interface Latencies {
  /** From the request to the first byte of the answer's body. */
  readonly firstByte: readonly number[];
  /** From the upstream's writing of a token to its arrival. */
  readonly token: readonly number[];
}

export type LatencyAnswer = Readonly<Record<string, Latencies>>;

/** Answer of the upstream to a request, from the member `metadata` of its body. */
export interface Script {
  /** Tokens after the first. */
  readonly tokens: number;
  readonly everyMs: number;
  /** Time to the first token; null for never. */
  readonly firstMs: number | null;
}

/** Time of the system's monotonic clock, which all processes share, in ms. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
