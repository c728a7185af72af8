import type { StoreRun } from "./store-run.ts";

/**
 * Growth of a cost: `cost = factor * nodes ** exponent`, the line of least squares through the logarithms.
 */
export interface Growth {
  readonly factor: number;
  readonly exponent: number;
}

export function growthOf(points: readonly (readonly [number, number])[]): Growth | null {
  const logs = points.flatMap(([x, y]) => (x > 0 && y > 0 ? [[Math.log(x), Math.log(y)] as const] : []));
  if (logs.length < 2) return null;
  const mean = (pick: (point: readonly [number, number]) => number): number =>
    logs.reduce((sum, point) => sum + pick(point), 0) / logs.length;
  const [meanX, meanY] = [mean(([x]) => x), mean(([, y]) => y)];
  const covariance = mean(([x, y]) => (x - meanX) * (y - meanY));
  const variance = mean(([x]) => (x - meanX) ** 2);
  const exponent = covariance / variance;
  return { factor: Math.exp(meanY - exponent * meanX), exponent };
}

/** Renewals in a lifetime, with both stores. */
const renewals = 3;

/** Estimated cost of a fleet with so many watchers for its server, extrapolated from the largest run. */
export interface Estimate {
  readonly cores: number;
  readonly megabytesPerS: number;
}

/**
 * Extrapolates. NATS passes each renewal on to each watcher, so that it costs by nodes times watchers; etcd
 * reports no renewals, so that it costs by nodes.
 */
export function estimate(run: StoreRun, nodes: number, watchers: number, lifetimeMs: number): Estimate {
  const renewalsPerS = (count: number, ms: number): number => (renewals * count * 1_000) / ms;
  const copies = (count: number): number => (run.store === "nats" ? count + 1 : 1);
  const before = renewalsPerS(run.nodes, run.lifetimeMs) * copies(run.watchers);
  const factor = (renewalsPerS(nodes, lifetimeMs) * copies(watchers)) / before;
  return { cores: (run.cpu / 100) * factor, megabytesPerS: ((run.bytesPerNode * run.nodes) / 1e6) * factor };
}
