import type { NodeInfo } from "@lmserv/discovery-core";
import { formatEndpoint } from "@lmserv/discovery-core/transport";

/** A target of Prometheus' HTTP service discovery. */
export interface Target {
  readonly targets: readonly [string];
  readonly labels: Readonly<Record<string, string>>;
}

/** Kinds of server that always have metrics, at `/metrics`. */
const withMetrics: ReadonlySet<string> = new Set(["vllm", "sglang"]);

/** Nodes whose metrics Prometheus can scrape. */
export function targetsOf(nodes: readonly NodeInfo[]): readonly Target[] {
  return nodes.filter(({ server }) => server !== null && withMetrics.has(server)).map(targetOf);
}

function targetOf({ id, host, port, scheme, server, info, hostname }: NodeInfo): Target {
  return {
    targets: [formatEndpoint(host, port)],
    labels: {
      __scheme__: scheme,
      __metrics_path__: "/metrics",
      __meta_lmserv_id: id,
      __meta_lmserv_server: server ?? "",
      __meta_lmserv_info: info,
      __meta_lmserv_hostname: hostname ?? "",
    },
  };
}
