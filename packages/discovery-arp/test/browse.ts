import type { DiscoveryError, NodeInfo } from "@lmserv/discovery-core";
import type { Observation } from "@lmserv/discovery-core/transport";
import type { VirtualClock } from "@lmserv/discovery-testkit";
import { type ArpOptions, arpOn } from "../src/transport.ts";
import type { VirtualLan } from "./virtual-lan.ts";

export type Browse = Awaited<ReturnType<typeof browseOn>>;

/** Browse with its reports. */
export async function browseOn(
  lan: VirtualLan,
  clock: VirtualClock,
  options: ArpOptions = {},
  nodes: () => readonly NodeInfo[] = () => [],
) {
  const reports: DiscoveryError[] = [];
  const logged: string[] = [];
  const context = lan.context({
    report: (error) => reports.push(error),
    log: (_, message) => logged.push(message),
    nodes: { listAlive: nodes },
  });
  const session = await arpOn(lan.machine(), { ports: [8_000], ...options }).open(
    context,
    new AbortController(),
  );
  const seen: (Observation & { readonly atMs: number })[] = [];
  const state: { error: unknown } = { error: null };
  const run = async (): Promise<void> => {
    for await (const observation of session.browse({ ttlMs: 60_000 }, new AbortController())) {
      seen.push({ ...observation, atMs: clock.now() });
    }
  };
  run().catch((error: unknown) => {
    state.error = error;
  });
  const of = (kind: Observation["kind"]) => seen.filter((observation) => observation.kind === kind);
  return { session, seen, of, reports, logged, state };
}
