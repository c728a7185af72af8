import type { DiscoveryError } from "@lmserv/discovery-core";
import {
  type Observation,
  type ResolvedAnnouncement,
  silentLog,
  type Transport,
  type TransportSession,
} from "@lmserv/discovery-core/transport";
import { MemoryNetwork, VirtualClock } from "@lmserv/discovery-testkit";
import { Watch } from "../src/conformance/watch.ts";

export const gpuBox: ResolvedAnnouncement = { id: "gpu-box", port: 8000, info: "gpu-box-01" };
export const laptop: ResolvedAnnouncement = { id: "laptop", port: 8001, info: "laptop" };
export const query: { readonly ttlMs: number } = { ttlMs: 60_000 };
export const never: AbortSignal = new AbortController().signal;

/** Virtual clock, two networks, and all reports. */
export class Bench {
  readonly clock = new VirtualClock();
  readonly left = new MemoryNetwork();
  readonly right = new MemoryNetwork();
  readonly reports: DiscoveryError[] = [];
  /** Fixed jitter: delays are half of their ceilings. */
  readonly context = {
    clock: this.clock,
    random: () => 0.5,
    log: silentLog,
    nodes: { listAlive: () => [] },
    report: (error: DiscoveryError) => void this.reports.push(error),
  };

  open(transport: Transport, signal: AbortSignal = never): Promise<TransportSession> {
    return transport.open(this.context, { signal });
  }

  watch(session: TransportSession, signal: AbortSignal = never): Watch {
    return new Watch(session.browse(query, { signal }), this.clock);
  }

  get told(): readonly string[] {
    return this.reports.map(({ code, via }) => `${code} ${via}`);
  }
}

/** Session without effect, with some members replaced. */
export function idleSession(members: Partial<TransportSession> = {}): TransportSession {
  return {
    browse: () => ({
      [Symbol.asyncIterator]: () => ({ next: () => new Promise<IteratorResult<Observation>>(() => {}) }),
    }),
    async [Symbol.asyncDispose]() {},
    ...members,
  };
}
